"""WebDataset tars: files that share a name up to the first dot are one sample (`0001.jpg`, `0001.txt`, `0001.json`, `0001.cls`)."""

import tarfile
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

import orjson

from lexel.pipeline.errors import SourceError
from lexel.pipeline.items import Item
from lexel.pipeline.manifests import CAPTION_COLUMNS, caption_list, scalar

TARS = (".tar", ".tar.gz", ".tgz")
_PICTURES = frozenset(["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "ppm"])


def is_tar(path: Path) -> bool:
    """By name: .tar, .tar.gz or .tgz."""
    return path.name.lower().endswith(TARS)


def tar_items(path: Path, root: Path) -> Iterator[Item]:
    """The samples of a tar that hold a picture. Nothing is unpacked to disk. Raises SourceError for a broken tar."""
    plain = path.suffix.lower() == ".tar"
    try:
        with tarfile.open(path, "r:" if plain else "r|gz") as tar:
            members = (member for member in tar if member.isfile())
            for _, sample in groupby(members, key=lambda member: _key(member.name)):
                yield from _sample(path, root, [(m, _reader(path, tar, m, plain)) for m in sample])
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SourceError(f"{path.name} is broken or not a tar: {error}.") from error


def _key(name: str) -> str:
    folder, _, base = name.rpartition("/")
    return f"{folder}/{base.split('.')[0]}"


def _reader(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, plain: bool) -> Callable[[], bytes]:
    """A plain tar is read at the member's place when its turn comes; a compressed one only has its bytes as they pass."""
    if plain and member.sparse is None:
        return lambda: _at(path, member.offset_data, member.size)
    stream: IO[bytes] | None = tar.extractfile(member)
    content = stream.read() if stream else b""
    return lambda: content


def _at(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _sample(path: Path, root: Path, members: list[tuple[tarfile.TarInfo, Callable[[], bytes]]]) -> Iterator[Item]:
    by_kind = {member.name.rsplit(".", 1)[-1].lower(): (member, read) for member, read in members}
    picture = next((by_kind[kind] for kind in by_kind if kind in _PICTURES), None)
    if picture is None:
        return
    text = {
        kind: read().decode("utf-8", "replace").strip() for kind, (_, read) in by_kind.items() if kind in {"txt", "cls"}
    }
    table = _json(by_kind["json"][1]()) if "json" in by_kind else {}
    captions = (
        [text["txt"]] if text.get("txt") else [c for name in CAPTION_COLUMNS for c in caption_list(table.get(name))]
    )
    label = text.get("cls") or table.get("label")
    metadata = {
        k: v for k, value in table.items() if k not in {*CAPTION_COLUMNS, "label"} and (v := scalar(value)) is not None
    }
    member, read = picture
    yield Item(
        f"{path.relative_to(root).as_posix()}/{member.name}",
        read,
        captions=tuple(dict.fromkeys(captions)),
        label=str(label) if label else None,
        metadata=metadata,
        size=member.size,
    )


def _json(content: bytes) -> dict[str, object]:
    try:
        table = orjson.loads(content)
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}
