"""Errors as JSON responses: a status code and one sentence."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opensearchpy import exceptions as errors
from starlette.exceptions import HTTPException

from lexel.encoders import EncoderError
from lexel.pipeline.errors import ClusterError, LexelError, NotThereError
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.serve.schema import Problem

_log = logging.getLogger(__name__)
_PHRASES = {404: "Nothing exists at this address.", 405: "This address does not support the method."}
# What pydantic's errors say that people are not to read, in other words.
_SAID = {
    "string_too_long": "at most {max_length} characters are taken",
    "too_long": "at most {max_length} are taken at once, not {actual_length}",
    "too_short": "at least {min_length} is wanted",
    "model_attributes_type": "a JSON object is wanted",
    "model_type": "a JSON object is wanted",
}
_AGAIN = {"Retry-After": "5"}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI descriptions of error responses with these status codes."""
    what = {
        400: "Invalid request",
        403: "Forbidden",
        404: "Not found",
        413: "Request body too large",
        422: "Invalid parameter",
        429: "Too many requests",
        503: "OpenSearch is not available",
    }
    return {code: {"model": Problem, "description": what[code]} for code in codes}


def answer(status: int, sentence: str, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error response."""
    return JSONResponse({"error": sentence}, status, headers=dict(headers or {}))


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error with one sentence."""
    app.add_exception_handler(LexelError, _ours)
    app.add_exception_handler(EncoderError, _ours)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _bug)


def status(error: Exception) -> int:
    """The HTTP status code for a LexelError or EncoderError."""
    if isinstance(error, NotThereError):
        return 404
    if isinstance(error, ClusterError):
        cause = error.__cause__
        code = cause.status_code if isinstance(cause, errors.TransportError) else None
        return code if code in {400, 404} else 503
    return 503 if isinstance(error, EncoderError) else 400


async def _ours(_: Request, error: Exception) -> JSONResponse:
    code = status(error)
    sentence = f"The image cannot be used: {error}." if isinstance(error, BadImageError) else str(error)
    return answer(code, sentence, headers=_AGAIN if code == 503 else None)


async def _wrong(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "request"
    said = _SAID.get(first["type"])
    return answer(422, f"{where}: {said.format(**first.get('ctx', {})) if said else first['msg'].rstrip('.')}.")


async def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, _PHRASES.get(error.status_code, str(error.detail)), headers=error.headers)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(500, "Internal error; see the server's log.")
