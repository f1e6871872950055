"""An item: one image or text to index."""

import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Scalar = str | int | float | bool

# A larger file is a misnamed video or archive; reading it could exhaust memory.
MAX_BYTES = 1 << 30


class NoPictureError(OSError):
    """What is there is no picture, and will be none when it is read again."""


@dataclass(frozen=True)
class Item:
    """An image, whose bytes `content` reads, or a text, if `text` is not None.

    `uri` is relative to the source, so that a collection can be moved, and is valid Unicode (see `readable`). `id` is
    the source's own id, None if it has none.
    """

    uri: str
    content: Callable[[], bytes] = field(compare=False, default=bytes)
    text: str | None = None
    captions: tuple[str, ...] = ()
    label: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    id: str | None = None
    size: int = 0  # of the file in bytes; 0 if the source does not say
    label_of_folder: bool = False  # the label is a part of the uri

    def identify(self, content: bytes) -> str:
        """`id`, or else 32 hexadecimal digits of a hash over uri and content.

        The uri is part of it, so that two copies of an image stay two items, each with its own metadata.
        """
        digest = hashlib.blake2b(self.uri.encode() + b"\0" + content, digest_size=16)
        return self.id or digest.hexdigest()

    def listing(self) -> bytes:
        """Everything that the source lists about the item, as bytes to hash: if it is unchanged, so is the shard."""
        label = None if self.label_of_folder else self.label  # the uri says it
        fields = [self.uri, self.text, self.captions, label, dict(self.metadata), self.id, self.size]
        return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()


def readable(name: str) -> str:
    """`name` as valid Unicode for JSON and Parquet: bytes that are not UTF-8 are escaped ("caf\\udce9")."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def read_file(path: Path) -> bytes:
    """The bytes of a regular file. Raises OSError if it is none, or larger than MAX_BYTES."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):  # reading a pipe could block for ever
        raise OSError("not a regular file")
    check_size(about.st_size)
    return path.read_bytes()


def check_size(size: int) -> None:
    """Raise OSError for more than MAX_BYTES."""
    if size > MAX_BYTES:
        raise OSError(f"{size / 1e9:.1f} GB, too large for a picture")
