"""Manifests: a table with a row per image, or per caption of an image, as CSV, TSV, JSONL or Parquet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import FileState, Item, readable, state_within
from lexel.pipeline.sources.picture_path import named_picture
from lexel.pipeline.sources.tables.scattered_rows import RowKey, TableState, scattered
from lexel.pipeline.sources.tables.table_columns import URI_COLUMNS, TableColumns, columns_of
from lexel.pipeline.sources.tables.table_rows import table_rows
from lexel.pipeline.sources.values import caption_list, is_nan, metadata_of, scalar


@dataclass(frozen=True)
class _NumberedRow:
    """A row, the uri of its picture, and the picture itself where the table holds it."""

    number: int
    uri: str
    row: Mapping[str, Any]
    picture: bytes | None = None

    @property
    def columns(self) -> TableColumns:
        return columns_of(tuple(self.row))

    @property
    def id(self) -> str | None:
        own = scalar(self.row.get(self.columns.id)) if self.columns.id else None
        return None if own is None else str(own)

    def captions(self) -> list[str]:
        return caption_list(self.row.get(self.columns.caption)) if self.columns.caption else []


def manifest_items(path: Path) -> Iterator[Item]:
    """The items of a manifest; rows with the same image are one item with all their captions, where its first row is.

    Raises SourceError if the file cannot be parsed, no column names the images, or two images share an id.
    """
    apart = scattered(TableState.of(path), _Keys(path))
    gathered = _gathered(path, apart) if apart else {}
    for uri, same in groupby(_numbered(path, table_rows(path)), key=lambda row: row.uri):
        group = list(same)
        if hash(uri) not in apart:
            yield _item(group[0], [caption for row in group for caption in row.captions()], path)
        elif (captions := gathered.pop(uri, None)) is not None:
            yield _item(group[0], captions, path)


@dataclass(frozen=True)
class _Keys:
    """What the rows of a table are about, read again at each call."""

    path: Path

    def __call__(self) -> Iterable[RowKey]:
        for row in _numbered(self.path, table_rows(self.path, only=_names_of_keys(self.path))):
            yield RowKey(row.number, row.uri, row.id)


def _names_of_keys(path: Path) -> tuple[str, ...]:
    """The columns that say what a row is about."""
    row = next(iter(table_rows(path)), {})
    columns = columns_of(tuple(row))
    return tuple(name for name in (*columns.uris, columns.id) if name)


def _gathered(path: Path, apart: frozenset[int]) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    try:
        for row in _numbered(path, table_rows(path)):
            if hash(row.uri) in apart:
                found.setdefault(row.uri, []).extend(row.captions())
    except SourceError:  # said when its row is reached
        pass
    return found


def _numbered(path: Path, rows: Iterable[Mapping[str, Any]]) -> Iterator[_NumberedRow]:
    for number, row in enumerate(rows, 1):
        yield _named(path, number, row)


def _named(path: Path, number: int, row: Mapping[str, Any]) -> _NumberedRow:
    columns = columns_of(tuple(row))
    if not columns.uris:
        raise SourceError(
            f"{path.name}, row {number}: no column names the picture; lexel looks for {', '.join(URI_COLUMNS[:5])}, "
            f"and found {', '.join(map(str, row)) or 'nothing'}."
        )
    column = _uri_column(row)
    if column is None:
        raise SourceError(
            f"{path.name}, row {number}: {columns.uris[0]!r} is empty; name a picture or take the row out."
        )
    value = row[column]
    if (picture := _embedded(value)) is not None:
        return _NumberedRow(number, _uri_within(path, number, value), row, picture)
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        value = value["path"]
    if not isinstance(value, str | int):
        kind = type(value).__name__
        raise SourceError(f"{path.name}, row {number}: {column!r} should be a path and is of the type {kind}.")
    return _NumberedRow(number, str(value), row)


def _embedded(value: Any) -> bytes | None:
    """The picture in a cell, as Hugging Face's Parquet has it: {"bytes": ..., "path": ...}, or bytes alone."""
    content = value.get("bytes") if isinstance(value, dict) else value
    return content if isinstance(content, bytes) else None


def _uri_within(path: Path, number: int, value: Any) -> str:
    """The name of a picture within a table. It says the row, since names within are often all the same."""
    name = value.get("path") if isinstance(value, dict) else None
    return readable("/".join([path.name, str(number), *([Path(name).name] if isinstance(name, str) and name else [])]))


def _uri_column(row: Mapping[str, Any]) -> str | None:
    return next((column for column in columns_of(tuple(row)).uris if row.get(column)), None)


def _item(first: _NumberedRow, captions: Sequence[str], table: Path) -> Item:
    columns, row = first.columns, first.row
    label = scalar(row.get(columns.label)) if columns.label else None
    uri_column = _uri_column(row)
    metadata = metadata_of(row, frozenset({uri_column, columns.caption, columns.id, columns.label}))
    picture: Callable[[], bytes]
    state: Callable[[], FileState | None]
    if first.picture is None:
        named = named_picture(table.parent, first.uri)
        picture, state = named, named.state
    else:
        picture, state = partial(bytes, first.picture), partial(state_within, table, len(first.picture))
    return Item(
        first.uri,
        picture,
        captions=tuple(dict.fromkeys(captions)),  # equal captions would become text items with the same id
        label=None if label is None or is_nan(str(label)) else str(label),
        metadata={columns.renamed.get(name, name): value for name, value in metadata.items()},
        id=first.id,
        state=state,
        held=first.picture is not None,
    )
