"""Access to a collection's image files, restricted to images below its root."""

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
from lexel.pipeline.sources.picture_path import picture_path

# The image types that browsers show, by their first bytes. Not SVG, which can contain scripts.
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
    """An open image file, its media type by its first bytes, and its size in bytes."""

    file: BinaryIO
    kind: str
    size: int


def original(root: str, uri: str) -> Original:
    """The file of an item, for the caller to close. Raises NotThereError if it is no image below `root`."""
    file = _opened(root, uri)
    size = os.fstat(file.fileno()).st_size
    kind = _kind(file.read(16))
    if kind is None or size > MAX_BYTES:
        file.close()
        raise _none(uri)
    file.seek(0)
    return Original(file, kind, size)


def exists(root: str, uri: str) -> bool:
    """Whether `original` finds the file."""
    try:
        original(root, uri).file.close()
    except NotThereError:
        return False
    return True


def thumbnail(root: str, uri: str) -> bytes:
    """A thumbnail of an item's file as JPEG. Raises NotThereError, or BadImageError if it cannot be decoded."""
    with _opened(root, uri) as file:
        content = file.read(MAX_BYTES)
    with _making:
        made = decoder_pool.decode(content, least=2 * SIDE, preview=PreviewOptions(SIDE), seconds=_SECONDS).preview
    assert made is not None
    assert made.thumbnail is not None
    return made.thumbnail


def _opened(root: str, uri: str) -> BinaryIO:
    """Open a regular file below `root`, after resolving `..` and links. Raises NotThereError if it is none."""
    try:
        base = Path(root).resolve(strict=True)
        path = picture_path(base, uri).resolve(strict=True)
        if not path.is_relative_to(base):
            raise _none(uri)
        # O_NOFOLLOW: a link put there since resolving is not followed. O_NONBLOCK: opening a pipe does not block.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:  # no such file, a null in its name, a cycle of links
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
    return NotThereError(f"The file of {uri} is not available on this server.")
