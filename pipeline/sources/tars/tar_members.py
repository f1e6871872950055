"""The files in a tar, in its order, read without unpacking; links inside the tar are the files that they lead to."""

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import MAX_BYTES, check_size
from lexel.pipeline.sources.remote.remote_path import Place, RemoteBytes, RemotePath

TARS = (".tar", ".tar.gz", ".tgz")
# A link to a link to a link: more of them are a circle.
_STEPS = 8


@dataclass(frozen=True)
class TarMember:
    """A file in a tar; `read` gives its bytes, `link` the name that it leads to."""

    name: str
    size: int
    read: Callable[[], bytes]
    link: str = ""


def is_tar(path: PurePath | RemotePath) -> bool:
    """Whether the name ends in .tar, .tar.gz or .tgz."""
    return path.name.lower().endswith(TARS)


def tar_members(
    path: Place, targets: Mapping[str, TarMember], wanted: frozenset[str] | None = None
) -> Iterator[TarMember]:
    """The files of a tar, or those that are `wanted`; a link is a file where `targets` says what it leads to.

    A plain tar's files are read when `read` is called, those of a compressed one at once. Raises SourceError if the
    tar is broken.
    """
    for tar, member in _headers(path):
        if wanted is not None and member.name not in wanted:
            continue
        if member.isfile():
            yield TarMember(member.name, member.size, _reader(path, tar, member))
        elif member.name in targets and (member.islnk() or member.issym()):
            there = targets[member.name]
            yield TarMember(member.name, there.size, there.read)


def tar_names(path: Place) -> Iterator[TarMember]:
    """The files and links of a tar without their content."""
    for _, member in _headers(path):
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


def _headers(path: Place) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    plain = path.suffix.lower() == ".tar"
    try:
        with _opened(path, plain) as tar:
            for member in _members(tar):
                yield tar, member
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


def _reader(path: Place, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    """A function that returns a member's bytes: read lazily from a plain tar, at once from a compressed stream."""
    if member.size > MAX_BYTES or (path.suffix.lower() == ".tar" and member.sparse is None):
        if isinstance(path, RemotePath) and member.size:
            return RemoteBytes(path.url, (member.offset_data, member.offset_data + member.size))
        return partial(_at, path, member.offset_data, member.size)
    stream = tar.extractfile(member)
    content = stream.read() if stream else b""
    return lambda: content


def _at(path: Place, offset: int, size: int) -> bytes:
    check_size(size)
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
