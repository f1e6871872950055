"""The files in a tar, in its order, read without unpacking; links inside the tar are the files that they lead to."""

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import MAX_BYTES, check_size
from lexel.pipeline.sources.remote.remote_path import Place, RemoteBytes, RemotePath
from lexel.pipeline.sources.sidecar import TEXT_KINDS

TARS = (".tar", ".tar.gz", ".tgz")
# What is longer is no caption, and read when it is asked for.
_LONGEST_TEXT = 1 << 16
# A link to a link to a link: more of them are a circle.
_STEPS = 8


@dataclass(frozen=True)
class TarMember:
    """A file in a tar; `read` gives its bytes, `link` the name that it leads to."""

    name: str
    size: int
    read: Callable[[], bytes]
    link: str = ""


def is_tar(name: str) -> bool:
    """Whether the name ends in .tar, .tar.gz or .tgz."""
    return name.lower().endswith(TARS)


def tar_members(
    path: Place, targets: Mapping[str, TarMember], wanted: frozenset[str] | None = None
) -> Iterator[TarMember]:
    """The files of a tar, or those that are `wanted`; a link is a file where `targets` says what it leads to.

    A plain tar's files are read when `read` is called, those of a compressed one at once. Raises SourceError if the
    tar is broken.
    """
    for header in _headers(path):
        member = header.member
        if wanted is not None and member.name not in wanted:
            continue
        if member.isfile():
            yield TarMember(member.name, member.size, _reader(path, header))
        elif member.name in targets and (member.islnk() or member.issym()):
            there = targets[member.name]
            yield TarMember(member.name, there.size, there.read)


def tar_names(path: Place) -> Iterator[TarMember]:
    """The files and links of a tar without their content."""
    for member, *_ in _headers(path):
        if member.isfile():
            yield TarMember(member.name, member.size, bytes)
        elif member.islnk():
            yield TarMember(member.name, 0, bytes, posixpath.normpath(member.linkname))
        elif member.issym():
            place = posixpath.join(posixpath.dirname(member.name), member.linkname)
            yield TarMember(member.name, 0, bytes, posixpath.normpath(place))


def link_targets(path: Place, links: Mapping[str, str]) -> dict[str, TarMember]:
    """The file that each link, {name: name it leads to}, ends at. A link that leads out of the tar is none."""
    if not links:
        return {}
    plain = {posixpath.normpath(name): end for name, end in links.items()}
    ends = {name: _end(posixpath.normpath(name), plain) for name in links}
    there = {posixpath.normpath(m.name): m for m in tar_members(path, {}, _spelled(path, frozenset(ends.values())))}
    return {name: there[end] for name, end in ends.items() if end in there}


def _spelled(path: Place, ends: frozenset[str]) -> frozenset[str]:
    """The names as the tar spells them: "./a.jpg" is "a.jpg"."""
    return frozenset(m.name for m in tar_names(path) if not m.link and posixpath.normpath(m.name) in ends)


def _end(name: str, links: Mapping[str, str]) -> str:
    for _ in range(_STEPS):
        name = links.get(name, name)
    return name


class _Header(NamedTuple):
    """What a tar says of a member; the open tar where it is needed to read that, or the content that is known."""

    member: tarfile.TarInfo
    tar: tarfile.TarFile | None = None
    content: bytes | None = None


def _headers(path: Place) -> Iterator[_Header]:
    if isinstance(path, RemotePath) and path.suffix.lower() == ".tar":
        yield from _headers_elsewhere(path)
    else:
        yield from _read_headers(path)


@lru_cache(maxsize=4)
def _headers_elsewhere(path: RemotePath) -> tuple[_Header, ...]:
    """Those of a tar over the network: it is read through for them, so that its texts are read with it, and once."""
    return tuple(_Header(one.member, content=_text(one)) for one in _read_headers(path))


def _text(header: _Header) -> bytes | None:
    member = header.member
    is_text = member.name.rpartition(".")[2].lower() in TEXT_KINDS and member.isfile() and member.size <= _LONGEST_TEXT
    stream = header.tar.extractfile(member) if header.tar and is_text else None
    return stream.read() if stream else None


def _read_headers(path: Place) -> Iterator[_Header]:
    plain = path.suffix.lower() == ".tar"
    try:
        with _opened(path, plain) as tar:
            for member in _members(tar):
                yield _Header(member, tar)
            if plain:
                _check_end(path, tar.offset)
    except PermissionError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name} is broken or not a tar: {str(error).rstrip('.')}.") from error


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, one by one. `tarfile` would keep them all in memory, half a kilobyte each."""
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


@contextmanager
def _opened(path: Place, plain: bool) -> Iterator[tarfile.TarFile]:
    if plain:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield tar
        return
    # Not mode "r|gz", which does not check the checksum and misses a file truncated between two members.
    with path.open("rb") as file, gzip.open(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            yield tar
        while stream.read(1 << 20):
            pass


def _check_end(path: Place, offset: int) -> None:
    """Raise ReadError if a broken header ended the reading: the end must be a block of zeros or the file's end."""
    if _at(path, offset, tarfile.BLOCKSIZE) not in {b"", bytes(tarfile.BLOCKSIZE)}:
        raise tarfile.ReadError(f"the header at byte {offset:,} cannot be read")


def _reader(path: Place, header: _Header) -> Callable[[], bytes]:
    """A function that returns a member's bytes: read lazily from a plain tar, at once from a compressed stream."""
    member = header.member
    if header.content is not None or not member.size:
        return partial(bytes, header.content or b"")
    if member.size > MAX_BYTES or (path.suffix.lower() == ".tar" and member.sparse is None):
        if isinstance(path, RemotePath):
            return RemoteBytes(path.url, (member.offset_data, member.offset_data + member.size))
        return partial(_at, path, member.offset_data, member.size)
    stream = header.tar.extractfile(member) if header.tar else None
    content = stream.read() if stream else b""
    return lambda: content


def _at(path: Place, offset: int, size: int) -> bytes:
    check_size(size)
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
