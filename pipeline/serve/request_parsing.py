"""Parses search requests: query parameters, JSON, or a form with images."""

import io
from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.preview import downscaled
from lexel.pipeline.search.filters import field_name, other_than, parse_filter
from lexel.pipeline.search.query_syntax import ParsedQuery, parse_query
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Cursor
from lexel.pipeline.serve.schema import SearchParams

P = TypeVar("P", bound=BaseModel)

MAX_PICTURES = 8
# Uploaded images are downscaled to this side: no network needs more, and memory is bounded.
_SIDE = 2048
_SECONDS = 20.0
# Decoding one image can take gigabytes.
_decoding = BoundedSemaphore(2)
_FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
_SINGLE = ("q", "mode", "k", "weight", "written_weight", "share", "cutoff", "fold", "page", "index")
_LISTS = ("like", "unlike", "filter", "facet")


@dataclass(frozen=True)
class ParsedRequest:
    """A request's parameters and its images, decoded and stored as PPM."""

    params: SearchParams
    pictures: tuple[bytes, ...] = ()

    @cached_property
    def query(self) -> ParsedQuery:
        """The query text, parsed once."""
        return parse_query(self.params.q)

    @property
    def cursor(self) -> Cursor | None:
        """The position to continue from, None for the first page."""
        return Cursor.parse(self.params.page) if self.params.page else None

    @property
    def filters(self) -> list[dict[str, Any]]:
        """The filters as query clauses; items given as `like` are excluded."""
        conditions = [parse_filter(text) for text in self.params.filter]
        return [*conditions, other_than(self.params.like)] if self.params.like else conditions

    @property
    def facets(self) -> dict[str, int]:
        """The facet fields with the number of values of each."""
        return {field_name(name): self.params.facet_size for name in self.params.facet}

    def search_request(self) -> SearchRequest:
        """The search request. Raises ConfigError if it is empty or invalid."""
        params = self.params
        return SearchRequest(
            text=params.q,
            images=self.pictures,
            like=tuple(params.like),
            unlike=tuple(params.unlike),
            mode=params.mode,
            k=params.k,
            filters=self.filters,
            weight=params.weight,
            written_weight=params.written_weight,
            share=params.share,
            fold=params.fold,
            cutoff=params.cutoff,
            facets=self.facets,
            paged=True,
            after=self.cursor,
            query=self.query,
        )


def by_address(params: Annotated[SearchParams, Query()]) -> ParsedRequest:
    """A request by query parameters."""
    return ParsedRequest(params)


async def by_body(request: Request) -> ParsedRequest:
    """A request as JSON, or as a form with images in `image`. Raises HTTPException (415) for another media type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        async with request.form(max_files=MAX_PICTURES, max_fields=100) as form:
            return await _of_form(form)
    if kind in {"", "application/json"}:
        return ParsedRequest(validated(SearchParams, await json_body(request)))
    raise HTTPException(415, "Send JSON (application/json), or a form with images (multipart/form-data).")


async def json_body(request: Request) -> Any:
    """The request's JSON. Raises HTTPException (400) if it is none."""
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The request body is not valid JSON.") from error


async def _of_form(form: FormData) -> ParsedRequest:
    fields: dict[str, Any] = {}
    contents = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and name == "image":
            contents.append(await value.read())
        elif name in _LISTS:
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    params = validated(SearchParams, fields)
    return ParsedRequest(params, tuple([await run_in_threadpool(_picture, content) for content in contents]))


def validated(params: type[P], fields: Any) -> P:
    """The parameters that `fields` hold. Raises RequestValidationError for those that they must not be."""
    try:
        return params.model_validate(fields)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from error


def _picture(content: bytes) -> bytes:
    """An uploaded image as PPM. Raises BadImageError."""
    file = io.BytesIO()
    downscaled(decoded(content, least=_SIDE).image, side=_SIDE).save(file, "PPM")
    return file.getvalue()


def decoded(content: bytes, *, least: int) -> decoder_pool.DecodedImage:
    """An uploaded image, decoded in a child process; see `decoder_pool.decode`. Raises BadImageError."""
    with _decoding:
        return decoder_pool.decode(content, least=least, seconds=_SECONDS)


ByAddress = Annotated[ParsedRequest, Depends(by_address)]
ByBody = Annotated[ParsedRequest, Depends(by_body)]

# FastAPI cannot describe a body with two media types by itself.
_FORM = {
    "type": "object",
    "properties": {
        "image": {"type": "array", "maxItems": MAX_PICTURES, "items": {"type": "string", "format": "binary"}},
        **{name: {"type": "string"} for name in _SINGLE},
        **{name: {"type": "array", "items": {"type": "string"}} for name in _LISTS},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": SearchParams.model_json_schema()},
            "multipart/form-data": {"schema": _FORM},
        },
    }
}
