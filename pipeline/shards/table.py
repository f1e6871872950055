"""The columns of a shard, and encoded items as a table with these columns."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from lexel.pipeline.images.embedded.picture_facts import Facts
from lexel.pipeline.images.preview import Preview
from lexel.pipeline.sources.item import FileState, Item


@dataclass(frozen=True)
class Row:
    """One encoded item: term weights, unit vector [D], and features [F] if the head reads others than the vector.

    `content` is the hash of its bytes, `state` that of its file before they were read.
    """

    item: Item
    id: str
    width: int | None
    height: int | None
    terms: Mapping[str, float]
    vector: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16] | None
    preview: Preview | None = None
    content: bytes | None = None
    state: FileState | None = None
    facts: Facts = field(default_factory=dict)


# Columns that shards of older versions have not.
_LATER = ("thumbnail", "phash", "waves", "content", "key", "own_id", "described", "size", "changed", "facts")
# What a row holds of its item as the source lists it; the rest is made of the bytes.
LISTED = ("key", "id", "own_id", "uri", "text", "captions", "label", "metadata", "described", "size", "changed")


def listed(
    items: Sequence[Item], ids: Sequence[str], states: Sequence[FileState | None], facts: Sequence[Facts]
) -> dict[str, list[Any]]:
    """The columns LISTED of rows; `facts` are what their files say."""
    return {
        "key": [item.key() for item in items],
        "id": list(ids),
        "own_id": [item.id is not None for item in items],
        "uri": [item.uri for item in items],
        "text": [item.text for item in items],
        "captions": [list(item.captions) for item in items],
        "label": [item.label for item in items],
        # What a source says under some name comes before what the file says.
        "metadata": [_json({**own, **item.metadata}) for item, own in zip(items, facts, strict=True)],
        "described": [item.described() for item in items],
        "size": [state.size if state else None for state in states],
        "changed": [state.changed if state else None for state in states],
    }


def table(rows: Sequence[Row], *, dim: int, feature_dim: int | None) -> pa.Table:
    """The rows as a table with the schema of a shard."""
    parts = ([row.item for row in rows], [row.id for row in rows], [row.state for row in rows])
    columns: dict[str, Any] = listed(*parts, [row.facts for row in rows])
    columns |= {
        "content": [row.content for row in rows],
        "facts": [_json(row.facts) for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "thumbnail": [row.preview.thumbnail if row.preview else None for row in rows],
        "phash": [row.preview.phash if row.preview else None for row in rows],
        "waves": [row.preview.waves if row.preview else None for row in rows],
        "terms": [list(row.terms.items()) for row in rows],
        "vector": _matrix([row.vector for row in rows], dim, np.float32),
    }
    if feature_dim:
        columns["features"] = _matrix([row.features for row in rows], feature_dim, np.float16)
    return _table(columns, dim, feature_dim)


def completed_table(old: pa.Table, *, dim: int, feature_dim: int | None) -> pa.Table:
    """The rows with the columns of today; what an older version did not store is null."""
    return _table(_completed(old), dim, feature_dim)


def rows_digest(rows: pa.Table, failures: Sequence[str]) -> str:
    """A hash of what a shard's rows are of: names, descriptions and bytes; and of what failed, as text."""
    hashed = hashlib.blake2b(digest_size=16)
    for name in ("key", "content", "described", "id"):
        for value in rows[name].to_pylist() if name in rows.column_names else ():
            hashed.update(f"{value!r}\n".encode())
    for failure in failures:
        hashed.update(f"{failure}\n".encode())
    return hashed.hexdigest()


def listed_again(old: pa.Table, new: Mapping[str, Sequence[Any]], *, dim: int, feature_dim: int | None) -> pa.Table:
    """The rows of `old` as those of other items with the same bytes: `new` are their columns LISTED."""
    return _table(_completed(old) | dict(new), dim, feature_dim)


def encoded_again(
    old: pa.Table,
    terms: Sequence[Mapping[str, float]],
    vectors: Sequence[npt.NDArray[np.float32]],
    *,
    dim: int,
    feature_dim: int | None,
) -> pa.Table:
    """The table of a shard with other terms and vectors; missing columns of older versions are added, empty."""
    columns = _completed(old)
    columns["terms"] = [list(weights.items()) for weights in terms]
    columns["vector"] = _matrix(vectors, dim, np.float32)
    return _table(columns, dim, feature_dim)


def _completed(old: pa.Table) -> dict[str, Any]:
    """The columns of a table; those that older versions had not are empty."""
    columns: dict[str, Any] = {name: [None] * len(old) for name in _LATER}
    return columns | {name: old[name] for name in old.column_names}


def _json(values: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS).decode()


def matrix(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of N vectors of length F as a new array [N, F]."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.array(flat).reshape(len(column), column.type.list_size)


def _table(columns: Mapping[str, Any], dim: int, feature_dim: int | None) -> pa.Table:
    fields = schema(dim=dim, feature_dim=feature_dim)
    return pa.table([_column(columns[f.name], f.type) for f in fields], schema=fields)


def _column(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)


def _matrix(rows: Sequence[Any], width: int, kind: Any) -> pa.Array:
    """Vectors as a fixed-size list column, without Python objects for the numbers."""
    flat = np.concatenate(rows).astype(kind) if rows else np.zeros(0, kind)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), width)


def schema(*, dim: int, feature_dim: int | None) -> pa.Schema:
    """The columns of a shard, for vectors [dim] and, if the head reads others than those, features [feature_dim]."""
    fields = [
        ("id", pa.string()), ("uri", pa.string()), ("text", pa.string()), ("captions", pa.list_(pa.string())),
        ("label", pa.string()), ("metadata", pa.string()), ("width", pa.int32()), ("height", pa.int32()),
        ("thumbnail", pa.binary()), ("phash", pa.int64()), ("waves", pa.binary(64)),
        ("content", pa.binary(16)), ("key", pa.binary(16)), ("own_id", pa.bool_()),
        ("described", pa.int64()), ("size", pa.int64()), ("changed", pa.int64()), ("facts", pa.string()),
        ("terms", pa.map_(pa.string(), pa.float32())), ("vector", pa.list_(pa.float32(), dim)),
    ]  # fmt: skip
    return pa.schema(fields + ([("features", pa.list_(pa.float16(), feature_dim))] if feature_dim else []))
