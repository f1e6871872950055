"""The rows of a Parquet file as Python values, also of times that Python has not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lexel.pipeline.sources.tables.class_names import class_names, named_classes
from lexel.pipeline.sources.tables.table_columns import columns_of

# So many rows with pictures in them are held at once.
_ROWS, _ROWS_WITH_BYTES = 4096, 64


def parquet_rows(path: Path, only: Sequence[str] | None = None) -> Iterator[Mapping[str, Any]]:
    """The rows of a file, with the names of classes; with `only`, those of these columns that hold no pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        heavy = {field.name for field in file.schema_arrow if _has_bytes(field.type)}
        columns = None if only is None else [n for n in file.schema_arrow.names if n in only and n not in heavy]
        if columns == []:
            return
        names = class_names(path, file.schema_arrow.metadata)
        size = _ROWS_WITH_BYTES if heavy and columns is None else _ROWS
        for batch in file.iter_batches(batch_size=size, columns=columns):
            try:
                rows: Iterable[Mapping[str, Any]] = batch.to_pylist()
            except (ValueError, OverflowError, pa.ArrowException):
                rows = _one_by_one(batch)
            yield from (named_classes(row, names) for row in rows) if names else rows


def column_names(path: Path) -> frozenset[str]:
    """The columns of a file; none where it cannot be read."""
    return frozenset(_kinds(path))


def holds_pictures(path: Path) -> bool:
    """Whether a column that names pictures holds them; not where the file cannot be read."""
    kinds = _kinds(path)
    return any(_has_bytes(kinds[name]) for name in columns_of(tuple(kinds)).uris)


def _kinds(path: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return {field.name: field.type for field in pq.read_schema(path)}
    except (OSError, ValueError, pa.ArrowException):
        return {}


def _has_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(_has_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _one_by_one(batch: Any) -> Iterator[Mapping[str, Any]]:
    """Rows of a batch in which a value has no Python type of its own: nanoseconds, or the year 10000."""
    for i in range(batch.num_rows):
        yield {name: _value(batch.column(k)[i]) for k, name in enumerate(batch.schema.names)}


def _value(cell: Any) -> Any:
    import pyarrow as pa

    try:
        return cell.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return _as_text(cell)


def _as_text(cell: Any) -> str | None:
    """A time as ISO 8601 writes it; a year of five digits, which nothing can compare, is a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        text: str = pc.cast(cell, pa.string()).as_py()
    except pa.ArrowException:
        return None
    day, _, time = text.partition(" ")
    year, dash, _ = day.lstrip("-").partition("-")
    if dash and len(year) > 4:
        return None
    return f"{day}T{time}" if time else text
