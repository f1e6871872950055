"""What img2dataset has fetched: 00000.tar, a folder 00000 or pictures in 00000.parquet, each with 00000.parquet."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, Scalar, state_within
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folders.picture_folder import failing, folder_items, items_of_tar
from lexel.pipeline.sources.source_format import SourceFormat
from lexel.pipeline.sources.tables.parquet_rows import column_names
from lexel.pipeline.sources.tables.table_rows import table_rows
from lexel.pipeline.sources.values import caption_list, metadata_of

_PART = re.compile(r"(?P<number>\d{5,})(\.tar|\.parquet|_stats\.json)?")
_MADE = "success"
# The column that holds the pictures is called as they are encoded.
_ENCODINGS = ("jpg", "png", "webp")
# What it writes of its own work, and what lexel finds in the picture itself.
_NOT_METADATA = frozenset(["key", "status", "error_message", "width", "height", "caption", *_ENCODINGS])


def _recognises(path: Path) -> bool:
    names = sorted(entry.name for entry in os.scandir(path) if _PART.fullmatch(entry.name))
    if any(name.endswith("_stats.json") for name in names):
        return True
    table = next((name for name in names if name.endswith(".parquet")), None)
    return table is not None and {"key", "status", "url"} <= column_names(path / table)


def _items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The pictures of all parts, each once. Rows that it could not fetch are counted by its own words for why."""
    names = sorted(name for name in os.listdir(root) if _PART.fullmatch(name))
    for name in names:
        path = root / name
        if name.endswith(".tar"):
            yield from map(_plain, items_of_tar(path, root, notes))
        elif name.endswith(".parquet"):
            yield from _rows(path, root, notes)
        elif path.is_dir():
            for item in folder_items(path, notes):
                yield _plain(replace(item, uri=f"{name}/{item.uri}"))
    notes.skip_others(root, names)


def _plain(item: Item) -> Item:
    return replace(item, metadata=_metadata(item.metadata))


def _metadata(row: Mapping[str, Any]) -> Mapping[str, Scalar]:
    found = metadata_of(row, _NOT_METADATA)
    return {name: value for name, value in found.items() if (name, value) != ("exif", "{}")}


def _rows(path: Path, root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The pictures that a table holds; where they are beside it, only those are counted that are missing."""
    missing = Counter[str]()
    try:
        columns = column_names(path)
        encoding = next((name for name in _ENCODINGS if name in columns), None)
        for number, row in enumerate(table_rows(path, only=None if encoding else ("status",)), 1):
            if (status := str(row.get("status", _MADE))) != _MADE:
                missing[status] += 1
            elif encoding:
                yield _item(path, f"{path.name}/{row.get('key') or number}.{encoding}", row[encoding], row)
    except SourceError as error:
        yield failing(path.relative_to(root).as_posix(), OSError(str(error).rstrip(".")))
    for status, count in missing.items():
        notes.leave(f"that img2dataset did not fetch ({status.replace('_', ' ')})", count)


def _item(path: Path, uri: str, content: bytes | None, row: Mapping[str, Any]) -> Item:
    captions = tuple(dict.fromkeys(caption_list(row.get("caption"))))
    picture = content or b""
    return Item(
        uri,
        partial(bytes, picture),
        captions=captions,
        metadata=_metadata(row),
        state=partial(state_within, path, len(picture)),
        held=True,
    )


IMG2DATASET = SourceFormat("img2dataset's output", _recognises, _items)
