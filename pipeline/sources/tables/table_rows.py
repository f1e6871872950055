"""The rows of a table: CSV, TSV, JSONL or Parquet."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.tables.delimited_text import delimited_rows
from lexel.pipeline.sources.tables.parquet_rows import parquet_rows
from lexel.pipeline.sources.text_encoding import encoding_of_file
from lexel.pipeline.sources.values import json_value

MANIFESTS = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"})


def table_rows(path: Path, *, only: Sequence[str] | None = None) -> Iterator[Mapping[str, Any]]:
    """The rows of a table, one by one; of a Parquet file, `only` these columns. Raises SourceError if it is broken."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            yield from parquet_rows(path, only)
        elif suffix in {".jsonl", ".ndjson"}:
            yield from _jsonl(path)
        else:
            yield from delimited_rows(path, "\t" if suffix == ".tsv" else ",")
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        advice = "; save it as UTF-8" if isinstance(error, UnicodeError) else ""
        raise SourceError(f"{path.name} cannot be read as {suffix[1:]}: {reason}{advice}.") from error


def _jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(_lines(path), 1):
        if text := line.removeprefix(codecs.BOM_UTF8).strip():
            yield _object(text, number)


def _lines(path: Path) -> Iterator[bytes]:
    encoding = encoding_of_file(path)
    if encoding.startswith("utf-8"):
        with path.open("rb") as file:
            yield from file
    else:
        with path.open(encoding=encoding, newline="\n") as text:
            yield from (line.encode() for line in text)


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = json_value(line)
    except ValueError as error:
        raise ValueError(f"line {number} is not JSON ({error})") from error
    if isinstance(row, dict):
        return row
    raise ValueError(f"line {number} is not an object")
