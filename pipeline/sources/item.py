"""One thing to index, a picture or a text: what a source yields and every later step names."""

import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Scalar = str | int | float | bool

# A larger file is a video or an archive under a picture's name; reading it could take all memory.
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class Item:
    """A picture whose bytes `content` reads, or, where `text` is given, that text.

    `uri` is relative to the source, so that a collection can move, and is valid Unicode (see `readable`). `id` is given
    only where the source names its items itself.
    """

    uri: str
    content: Callable[[], bytes] = field(compare=False, default=bytes)
    text: str | None = None
    captions: tuple[str, ...] = ()
    label: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    id: str | None = None
    size: int = 0  # bytes of the file as listed, 0 where the source does not say

    def identify(self, content: bytes) -> str:
        """The item's id: its own, else 32 hexadecimal digits of a hash over its uri and its content.

        The uri takes part, so that two copies of one picture are two items with their own metadata and none is lost.
        """
        digest = hashlib.blake2b(self.uri.encode() + b"\0" + content, digest_size=16)
        return self.id or digest.hexdigest()

    def listing(self) -> bytes:
        """What the source's list says of the item, as bytes: equal listings give equal shards."""
        fields = [self.uri, self.text, self.captions, self.label, dict(self.metadata), self.id, self.size]
        return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()


def readable(name: str) -> str:
    """`name` as text that JSON and Parquet can hold: a byte of it that is not UTF-8 is spelled out ("caf\\udce9")."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def read_file(path: Path) -> bytes:
    """The bytes of a regular file. Raises OSError where there is none, or where it is larger than MAX_BYTES."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):  # a pipe would keep the job waiting for ever
        raise OSError("not a regular file")
    check_size(about.st_size)
    return path.read_bytes()


def check_size(size: int) -> None:
    """Raises OSError for more than MAX_BYTES."""
    if size > MAX_BYTES:
        raise OSError(f"{size / 1e9:.1f} GB, too large for a picture")
