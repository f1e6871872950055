"""Manifests: a table with a row per image, or per caption of an image, as CSV, TSV, JSONL or Parquet."""

import codecs
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, read_file
from lexel.pipeline.sources.sidecar import CAPTION_COLUMNS
from lexel.pipeline.sources.values import caption_list, scalar

MANIFESTS = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"})
# Column names of public data sets and tools, by precedence.
URI_COLUMNS = ("uri", "image", "path", "file", "filename", "file_name", "filepath", "image_path", "image_file")
_OWN = {"id", "label"}


def manifest_items(path: Path) -> Iterator[Item]:
    """The items of a manifest; consecutive rows with the same image are one item with all their captions.

    Raises SourceError if the file cannot be parsed or no column names the images.
    """
    rows = enumerate(_rows(path), 1)
    for uri, same in groupby(rows, key=lambda numbered: _uri(path, *numbered)):
        group = [row for _, row in same]
        yield _item(uri, group, path.parent)


def _uri(path: Path, number: int, row: Mapping[str, Any]) -> str:
    there = [column for column in URI_COLUMNS if column in row]
    if not there:
        raise SourceError(
            f"{path.name}, row {number}: no column names the picture; lexel looks for {', '.join(URI_COLUMNS[:5])}, "
            f"and found {', '.join(map(str, row)) or 'nothing'}."
        )
    column = _uri_column(row)
    if column is None:
        raise SourceError(f"{path.name}, row {number}: {there[0]!r} is empty; name a picture or take the row out.")
    if not isinstance(row[column], str | int):
        kind = type(row[column]).__name__
        raise SourceError(f"{path.name}, row {number}: {column!r} should be a path and is of the type {kind}.")
    return str(row[column])


def _uri_column(row: Mapping[str, Any]) -> str | None:
    return next((column for column in URI_COLUMNS if row.get(column)), None)


def _item(uri: str, rows: Sequence[Mapping[str, Any]], root: Path) -> Item:
    first = rows[0]
    caption_column = next((c for c in CAPTION_COLUMNS if c in first), None)
    captions = [c for row in rows for c in caption_list(row.get(caption_column))] if caption_column else []
    skip = {_uri_column(first), caption_column, *_OWN}
    metadata = {str(k): v for k, value in first.items() if k not in skip and (v := scalar(value)) is not None}
    own_id, label = scalar(first.get("id")), scalar(first.get("label"))
    return Item(
        uri,
        lambda: _read(root, uri),
        captions=tuple(dict.fromkeys(captions)),  # equal captions would become text items with the same id
        label=None if label is None else str(label),
        metadata=metadata,
        id=None if own_id is None else str(own_id),
    )


def _read(root: Path, uri: str) -> bytes:
    if "://" in uri:
        kind = uri.split("://", maxsplit=1)[0]
        raise OSError(f"{kind} addresses are not fetched; download the pictures first (img2dataset does it well)")
    return read_file(root / Path(uri).expanduser())


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            yield from _parquet(path)
        elif suffix in {".jsonl", ".ndjson"}:
            yield from _jsonl(path)
        else:
            yield from _csv(path, "\t" if suffix == ".tsv" else ",")
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise SourceError(f"{path.name} cannot be read as {suffix[1:]}: {reason}.") from error


def _csv(path: Path, delimiter: str) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # the default of 128 KiB is too small for some captions
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield {key.strip(): value for key, value in row.items() if isinstance(key, str)}


def _jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if text := line.removeprefix(codecs.BOM_UTF8).strip():
                yield _object(text, number)


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number} is not JSON ({error})") from error
    if isinstance(row, dict):
        return row
    raise ValueError(f"line {number} is not an object")


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=4096):
            yield from batch.to_pylist()
