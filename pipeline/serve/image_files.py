"""The files of a collection: pictures below its root, and nothing else on this machine."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO

from lexel.pipeline.errors import NotThereError
from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.preview import SIDE, PreviewOptions
from lexel.pipeline.sources.item import MAX_BYTES

# What browsers show, and what such a file begins with. An SVG is a program and not among them.
_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_making = BoundedSemaphore(2)
_SECONDS = 10.0


@dataclass(frozen=True)
class Original:
    """An open picture file, its type as its own first bytes say, and its size."""

    file: BinaryIO
    kind: str
    size: int


def original(root: str, uri: str) -> Original:
    """The file of an item, for the caller to close. Raises NotThereError for whatever is no picture below `root`."""
    file = _opened(root, uri)
    size = os.fstat(file.fileno()).st_size
    kind = _kind(file.read(16))
    if kind is None or size > MAX_BYTES:
        file.close()
        raise _none(uri)
    file.seek(0)
    return Original(file, kind, size)


def there(root: str, uri: str) -> bool:
    """Whether `original` has something for it."""
    try:
        original(root, uri).file.close()
    except NotThereError:
        return False
    return True


def thumbnail(root: str, uri: str) -> bytes:
    """A small JPEG of the file of an item, made now. Raises NotThereError, and BadImageError where it is broken."""
    with _opened(root, uri) as file:
        content = file.read(MAX_BYTES)
    with _making:
        made = decoder_pool.decode(content, least=2 * SIDE, preview=PreviewOptions(SIDE), seconds=_SECONDS).look
    assert made is not None
    assert made.thumbnail is not None
    return made.thumbnail


def _opened(root: str, uri: str) -> BinaryIO:
    """A regular file that is really below `root`, whatever `uri` says and wherever links lead."""
    try:
        base = Path(root).resolve(strict=True)
        path = (base / uri).resolve(strict=True)
        if not path.is_relative_to(base):
            raise _none(uri)
        # What is resolved holds no link; one put there since is not followed, and a pipe does not keep us waiting.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:  # no such file, a null in its name, a circle of links
        raise _none(uri) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _none(uri)
    return open(handle, "rb")


def _kind(start: bytes) -> str | None:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:12] == b"ftypavif":
        return "image/avif"
    return next((kind for magic, kind in _KINDS if start.startswith(magic)), None)


def _none(uri: str) -> NotThereError:
    return NotThereError(f"The file of {uri} is not to be had from here.")
