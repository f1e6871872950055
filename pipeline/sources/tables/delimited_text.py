"""CSV and TSV, as programs write them: separated by tabs, commas, semicolons or bars, in UTF-8 or UTF-16."""

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from lexel.pipeline.sources.tables.table_columns import TableColumns, columns_of
from lexel.pipeline.sources.text_encoding import encoding_of_file

_DELIMITERS = (",", ";", "\t", "|")
# Not a character: what is read to here was opened by a quote that nothing closes.
_END = "\ufdd0"
_LONGEST_CELL = 1000  # lines
_LONGEST_HEADER = 1 << 16  # characters


def delimited_rows(path: Path, delimiter: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a table by its header; another delimiter is taken where only that makes known columns of the header.

    Raises ValueError where the text is not UTF-8, or a quote is never closed.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # the default of 128 KiB is too small for some captions
    with path.open(newline="", encoding=encoding_of_file(path)) as file:
        delimiter = _delimiter(file, delimiter)
        rows = (row for row in _records(file, delimiter) if row)
        header = [name.strip() for name in next(rows, [])]
        caption = columns_of(tuple(header)).caption
        for row in rows:
            if len(row) > len(header) and header and header[-1] == caption and any(row[len(header) :]):
                row[len(header) - 1 :] = [
                    delimiter.join(row[len(header) - 1 :])
                ]  # a caption with commas, and no quotes
            yield dict.fromkeys(header) | dict(zip(header, row, strict=False))


def header_columns(path: Path) -> TableColumns:
    """What the header of a text file names, if it is a table."""
    with path.open(newline="", encoding=encoding_of_file(path), errors="replace") as file:
        delimiter = _delimiter(file, ",")
        names = next(csv.reader([file.readline(_LONGEST_HEADER)], delimiter=delimiter), [])
    return columns_of(tuple(name.strip() for name in names))


def _delimiter(file: TextIO, usual: str) -> str:
    """The delimiter, with the file at its header."""
    start, line = 0, file.readline(_LONGEST_HEADER)
    if line.lower().startswith("sep="):  # what Excel writes and reads
        start, usual = file.tell(), line[4:5]
        line = file.readline(_LONGEST_HEADER)
    file.seek(start)
    names = ((each, next(csv.reader([line], delimiter=each), [])) for each in (usual, *_DELIMITERS))
    return next((each for each, found in names if columns_of(tuple(name.strip() for name in found)).uris), usual)


def _records(file: TextIO, delimiter: str) -> Iterator[list[str]]:
    return _tabbed(file, delimiter) if delimiter in "\t|" else _quoted(file, delimiter)


def _quoted(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    reader, begun = csv.reader(chain(lines, [_END]), delimiter=delimiter), 1
    for row in reader:
        if row == [_END]:
            return
        if row and row[-1].endswith(_END):
            raise ValueError(f"the quote that opens in line {begun} is never closed")
        begun = reader.line_num + 1
        yield row


def _tabbed(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """A quote at the start of a cell opens a cell of several lines only where these are no rows of their own."""
    ahead, rest, width = deque[str](), iter(lines), 0
    while (line := ahead.popleft() if ahead else next(rest, None)) is not None:
        row = _split(line, delimiter)
        if '"' in line:
            row = _with_quotes(line, ahead, rest, delimiter, width) or row
        width = width or len(row)
        yield row


def _split(line: str, delimiter: str) -> list[str]:
    text = line.rstrip("\r\n")
    return text.split(delimiter) if text else []


def _with_quotes(line: str, ahead: deque[str], rest: Iterator[str], delimiter: str, width: int) -> list[str] | None:
    """The record that begins with `line`, over as many lines as it takes; None where its quote is only a quote."""
    for count in range(_LONGEST_CELL):
        reader = csv.reader([line, *list(ahead)[:count], ""], delimiter=delimiter)
        row = next(reader)
        if reader.line_num == count + 1:  # closed
            if count and len(row) != width:
                return None
            for _ in range(count):
                ahead.popleft()
            return row
        if len(ahead) <= count:
            ahead.extend(each for each in [next(rest, None)] if each is not None)
        if len(ahead) <= count or _are_rows(line, ahead[0], delimiter, width):
            return None
    return None


def _are_rows(line: str, following: str, delimiter: str, width: int) -> bool:
    return width > 1 and len(_split(line, delimiter)) == width == len(_split(following, delimiter))
