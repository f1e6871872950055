"""WebDataset tars: files with the same name up to the first dot are one sample (0001.jpg, 0001.txt, 0001.json)."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import IO

import orjson

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import MAX_BYTES, Item, check_size, readable
from lexel.pipeline.sources.manifest import CAPTION_COLUMNS, caption_list, scalar

TARS = (".tar", ".tar.gz", ".tgz")
_PICTURES = frozenset(["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "ppm"])


def is_tar(path: Path) -> bool:
    """Whether the name ends in .tar, .tar.gz or .tgz."""
    return path.name.lower().endswith(TARS)


def tar_items(path: Path, root: Path) -> Iterator[Item]:
    """The samples of a tar that contain an image, as items; hidden files are skipped, nothing is unpacked to disk.

    Raises SourceError if the tar is broken.
    """
    plain = path.suffix.lower() == ".tar"
    try:
        with _opened(path, plain) as tar:
            members = (member for member in _members(tar) if member.isfile() and not _is_hidden(member.name))
            for _, sample in groupby(members, key=lambda member: _key(member.name)):
                yield from _sample(path, root, [(m, _reader(path, tar, m, plain)) for m in sample])
            if plain:
                _check_end(path, tar.offset)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name} is broken or not a tar: {str(error).rstrip('.')}.") from error


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, one by one. `tarfile` would keep them all in memory, half a kilobyte each."""
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


@contextmanager
def _opened(path: Path, plain: bool) -> Iterator[tarfile.TarFile]:
    if plain:
        with tarfile.open(path, "r:") as tar:
            yield tar
        return
    # Not mode "r|gz", which does not check the checksum and misses a file truncated between two members.
    with gzip.open(path) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            yield tar
        while stream.read(1 << 20):
            pass


def _check_end(path: Path, offset: int) -> None:
    """Raise ReadError if a broken header ended the reading: the end must be a block of zeros or the file's end."""
    if _at(path, offset, tarfile.BLOCKSIZE) not in {b"", bytes(tarfile.BLOCKSIZE)}:
        raise tarfile.ReadError(f"the header at byte {offset:,} cannot be read")


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith(".")


def _key(name: str) -> str:
    folder, _, base = name.rpartition("/")
    return f"{folder}/{base.split('.')[0]}"


def _reader(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, plain: bool) -> Callable[[], bytes]:
    """A function that returns a member's bytes: read lazily from a plain tar, at once from a compressed stream."""
    if member.size > MAX_BYTES or (plain and member.sparse is None):
        return partial(_at, path, member.offset_data, member.size)
    stream: IO[bytes] | None = tar.extractfile(member)
    content = stream.read() if stream else b""
    return lambda: content


def _at(path: Path, offset: int, size: int) -> bytes:
    check_size(size)
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _sample(path: Path, root: Path, members: list[tuple[tarfile.TarInfo, Callable[[], bytes]]]) -> Iterator[Item]:
    by_kind = {member.name.rsplit(".", 1)[-1].lower(): (member, read) for member, read in members}
    kind = next((kind for kind in by_kind if kind in _PICTURES), None)
    if kind is None:
        return
    text = {
        name: read().decode("utf-8", "replace").strip() for name, (_, read) in by_kind.items() if name in {"txt", "cls"}
    }
    table = _json(by_kind["json"][1]()) if "json" in by_kind else {}
    captions = (
        [text["txt"]] if text.get("txt") else [c for name in CAPTION_COLUMNS for c in caption_list(table.get(name))]
    )
    label = text.get("cls") or scalar(table.get("label"))
    metadata = {
        k: v for k, value in table.items() if k not in {*CAPTION_COLUMNS, "label"} and (v := scalar(value)) is not None
    }
    # Several images of one kind in a sample are usually separate images with dots in their names: all are kept.
    for member, read in members:
        if member.name.lower().endswith(f".{kind}"):
            yield Item(
                readable(f"{path.relative_to(root).as_posix()}/{member.name}"),
                read,
                captions=tuple(dict.fromkeys(captions)),
                label=None if label is None else str(label),
                metadata=metadata,
                size=member.size,
            )


def _json(content: bytes) -> dict[str, object]:
    try:
        table = orjson.loads(content)
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}
