"""An item: one image or text to index."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
# A value of metadata; several texts, as keywords are, are one value.
Scalar = str | int | float | bool | tuple[str, ...]

# A larger file is a misnamed video or archive; reading it could exhaust memory.
MAX_BYTES = 1 << 30


class NoPictureError(OSError):
    """What is there is no picture, and will be none when it is read again."""


class FileState(NamedTuple):
    """The size of a file in bytes and the time of its last change in nanoseconds: if both are equal, so is the file."""

    size: int
    changed: int


def no_state() -> FileState | None:
    """Of what no file system keeps a record."""
    return None


@dataclass(frozen=True, slots=True)
class Item:
    """An image, whose bytes `content` reads, or a text, if `text` is not None.

    `uri` is relative to the source, so that a collection can be moved, and is valid Unicode (see `readable`). `id` is
    the source's own id, None if it has none. `state` says whether the bytes may have changed since they were read; it
    raises OSError if that cannot be found out now. An item with `unlisted` stands for a folder or tar of which nobody
    knows what is in it, since it cannot be listed. `occurrence` counts items of one name, as a tar may have them.
    The bytes of an item that is `held` are in memory already.
    """

    uri: str
    content: Callable[[], bytes] = field(compare=False, default=bytes)
    text: str | None = None
    captions: tuple[str, ...] = ()
    label: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    id: str | None = None
    state: Callable[[], FileState | None] = field(compare=False, default=no_state)
    unlisted: bool = False
    occurrence: int = 0
    held: bool = False

    def identify(self, content: bytes) -> str:
        """`id`, or else 32 hexadecimal digits of a hash over uri and content.

        The uri is part of it, so that two copies of an image stay two items, each with its own metadata.
        """
        digest = hashlib.blake2b(self.uri.encode() + b"\0" + content, digest_size=16)
        return self.id or digest.hexdigest()

    def key(self) -> bytes:
        """16 bytes that name the item in its source: a hash of its uri, and of its text if it is one."""
        name = self.uri if self.text is None else f"{self.uri}\0{self.text}"
        key = hashlib.blake2b(name.encode(), digest_size=16).digest()
        return occurrence_key(key, self.occurrence) if self.occurrence else key

    def described(self) -> int:
        """A 63-bit hash of what the source says about the item, beside its name, id and bytes."""
        if not (self.captions or self.label or self.metadata):
            return 0
        if self.captions or self.metadata:
            return _description_hash(self.captions, self.label, dict(self.metadata))
        return _label_hash(self.label)


def _description_hash(captions: tuple[str, ...], label: str | None, metadata: Mapping[str, Scalar]) -> int:
    content = json.dumps([captions, label, metadata], ensure_ascii=False, sort_keys=True).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") >> 1


@lru_cache(4096)
def _label_hash(label: str | None) -> int:
    """That of an item with a label alone: there are few, and a sync asks for it of every picture."""
    return _description_hash((), label, {})


def content_hash(content: bytes) -> bytes:
    """16 bytes by which the content of a file is known again, under whatever name."""
    return hashlib.blake2b(content, digest_size=16).digest()


def occurrence_key(key: bytes, occurrence: int) -> bytes:
    """The key of a further item with the same name."""
    return hashlib.blake2b(key + b"%d" % occurrence, digest_size=16).digest()


def readable(name: str) -> str:
    """`name` as valid Unicode for JSON and Parquet: bytes that are not UTF-8 are escaped ("caf\\udce9")."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode("utf-8")


def file_state(path: str | Path) -> FileState:
    """The state of a file. Raises OSError."""
    about = os.stat(path)
    return FileState(about.st_size, about.st_mtime_ns)


def state_within(table: Path, size: int) -> FileState:
    """The state of a picture of `size` bytes that a table holds: it may have changed when the table has."""
    return FileState(size, file_state(table).changed)


def read_file(path: str | Path) -> bytes:
    """The bytes of a regular file. Raises OSError if it is none, or larger than MAX_BYTES."""
    about = os.stat(path)
    if not stat.S_ISREG(about.st_mode):  # reading a pipe could block for ever
        raise OSError("not a regular file")
    check_size(about.st_size)
    return Path(path).read_bytes()


def check_size(size: int) -> None:
    """Raise OSError for more than MAX_BYTES."""
    if size > MAX_BYTES:
        raise OSError(f"{size / 1e9:.1f} GB, too large for a picture")
