"""A place that is elsewhere: a file or folder by its address, with what the code for files asks of a Path."""

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from urllib.parse import quote, unquote, urlsplit

from lexel.pipeline.sources.item import FileState, file_state
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.remote_file import RemoteFile

_HERE = frozenset({"file", "local"})
# Tars are read from front to back, in pieces of this size.
_BUFFER = 4 << 20


@dataclass(frozen=True)
class RemoteBytes:
    """A file elsewhere, or its bytes from the first to before the second of `part`; a call fetches them.

    Where there is none, the one at the address `otherwise` is meant.
    """

    url: str
    part: tuple[int, int] | None = None
    otherwise: str | None = None

    def __call__(self) -> bytes:
        """The bytes. Raises OSError, or ConfigError where the extra `remote` is not installed."""
        try:
            return file_systems.read(self.url, *self.part) if self.part else file_systems.read(self.url)
        except FileNotFoundError:
            if self.otherwise is None:
                raise
            return file_systems.read(self.otherwise)

    def state(self) -> FileState | None:
        """Nothing: to ask for each file would take as long as to fetch it."""
        return None


@dataclass(frozen=True)
class RemotePath:
    """An address such as https://host/folder/file.csv or s3://bucket/folder, as printed by `str` without a login."""

    url: str

    def __str__(self) -> str:
        address = urlsplit(self._plain)
        login, at, host = address.netloc.rpartition("@")
        return address._replace(netloc=host).geturl() if at and login else self._plain

    @property
    def name(self) -> str:
        """The last part of the path, as people write it."""
        path = self._plain.partition("://")[2]
        last = path.rpartition("/")[2] if "/" in path or not self.is_web else ""
        return unquote(last) if self.is_web else last

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "RemotePath":
        """The folder of it; the host or bucket is its own."""
        start, slash, path = self._plain.partition("://")
        folder, _, _ = path.rpartition("/")
        return RemotePath(f"{start}{slash}{folder}") if folder.strip("/") else self

    def __truediv__(self, name: str) -> "RemotePath":
        if not name:
            return self
        return RemotePath(f"{self._plain}/{quote(name, safe='') if self.is_web else name}")

    def named(self, uri: str) -> "RemotePath":
        """What a table in this folder calls `uri`: relative to the folder, or from the root of the host or bucket."""
        start, slash, path = self._plain.partition("://")
        place = RemotePath(f"{start}{slash}{path.partition('/')[0]}") if uri.startswith("/") else self
        for part in uri.split("/"):
            if part == "..":
                place = place.parent
            elif part not in {"", "."}:
                place /= part
        return place

    def below(self, root: "RemotePath") -> str:
        """The path below `root`. Raises ValueError where it is not."""
        start = f"{root._plain}/"
        if not self._plain.startswith(start):
            raise ValueError(f"{self} is not below {root}")
        path = self._plain.removeprefix(start)
        return unquote(path) if self.is_web else path

    def open(self, _: str = "rb") -> BinaryIO:
        """The file, to read in pieces from any place. Raises OSError."""
        return cast(BinaryIO, io.BufferedReader(RemoteFile(self.url), _BUFFER))

    @property
    def _plain(self) -> str:
        """The address without what follows a path on the web."""
        url = self.url.split("#")[0].split("?")[0] if self.is_web else self.url
        start, slash, path = url.partition("://")
        return f"{start}{slash}{path.rstrip('/')}"

    @property
    def is_web(self) -> bool:
        """Whether a web server has it: names are quoted there, and folders not listed."""
        return self.url.lower().startswith(("http://", "https://"))


Place = Path | RemotePath


def place_of(root: str, uri: str) -> Place:
    """Where an item of a source in the folder `root` is, a path or an address."""
    if is_address(uri):
        return RemotePath(uri)
    return RemotePath(root).named(uri) if is_address(root) else Path(root, uri)


def changed(path: Place) -> int:
    """When a file was changed, in nanoseconds; 0 where nobody says it. Raises OSError."""
    return file_state(path).changed if isinstance(path, Path) else file_systems.changed(path.url)


def relative(path: Place, root: Place) -> str:
    """The path of what is below `root`, with slashes."""
    if isinstance(path, RemotePath) or isinstance(root, RemotePath):
        assert isinstance(path, RemotePath)
        assert isinstance(root, RemotePath)
        return path.below(root)
    return path.relative_to(root).as_posix()


def is_address(text: str) -> bool:
    """Whether a text is an address on the network, and neither a path nor one of fsspec's names for a file here."""
    scheme, slashes, _ = text.partition("://")
    return bool(slashes) and scheme.isascii() and scheme.replace("+", "").isalnum() and scheme.lower() not in _HERE
