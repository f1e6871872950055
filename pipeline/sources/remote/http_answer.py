"""What a web server answers: a file or a part of it, or why there is none and whether to ask again."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from lexel.pipeline.sources.item import NoPictureError, check_size

_PIECE = 1 << 16
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class RefusedError(OSError):
    """What is asked for is not given, and will not be when asked again at once."""


class RetryLaterError(OSError):
    """The server is busy; `seconds` is what it asks to wait, if it says so."""

    seconds: float | None = None


async def http_bytes(system: Any, url: str, part: tuple[int, int] | None) -> bytes:
    """A file, or the bytes from the first to before the second of `part`. Raises OSError for more than MAX_BYTES."""
    headers = {"Range": f"bytes={part[0]}-{part[1] - 1}"} if part else {}
    content = bytearray()
    async with _answer(system, url, headers=headers) as answer:
        if part and answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise RefusedError("the server sends no parts of a file; download it first")
        async for piece in answer.content.iter_chunked(_PIECE):
            content += piece
            check_size(len(content))  # before it is in memory, whatever the server said of its length
    return bytes(content)


async def http_download(system: Any, url: str, target: Path, seconds: float) -> None:
    """Copy a file to `target`, however long that takes while `seconds` never pass without a byte of it."""
    from aiohttp import ClientTimeout

    async with _answer(
        system, url, timeout=ClientTimeout(total=None, sock_read=seconds, sock_connect=seconds)
    ) as answer:
        with target.open("wb") as file:
            async for piece in answer.content.iter_chunked(_PIECE):
                file.write(piece)


@asynccontextmanager
async def _answer(system: Any, url: str, **options: Any) -> AsyncIterator[Any]:
    from aiohttp import ClientConnectorError, InvalidURL, TooManyRedirects

    session = await system.set_session()
    try:
        async with session.get(url, **options) as answer:
            _check(answer)
            yield answer
    except TooManyRedirects as error:
        raise NoPictureError("not a picture: its address leads in a circle") from error
    except ClientConnectorError as error:
        why = os.strerror(error.os_error.errno) if error.os_error.errno and error.os_error.errno > 0 else "no such host"
        raise ConnectionError(f"{error.host} cannot be reached: {why}") from error
    except InvalidURL as error:
        raise RefusedError("not an address") from error


def _check(answer: Any) -> None:
    status = answer.status
    if status < HTTPStatus.BAD_REQUEST:
        return
    said = f"the server answers {status} {answer.reason or ''}".rstrip()
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise FileNotFoundError(said)
    if status not in _RETRYABLE:
        raise RefusedError(said)
    busy = RetryLaterError(said)
    wanted = answer.headers.get("Retry-After", "")
    busy.seconds = float(wanted) if wanted.isascii() and wanted.isdigit() else None
    raise busy
