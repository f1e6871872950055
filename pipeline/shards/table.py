"""The columns of a shard, and encoded items as a table with these columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from lexel.pipeline.images.embedded.picture_facts import Facts
from lexel.pipeline.images.preview import Preview
from lexel.pipeline.sources.item import Item


@dataclass(frozen=True)
class Row:
    """One encoded item: term weights, unit vector [D], and features [F] if the head reads others than the vector."""

    item: Item
    id: str
    width: int | None
    height: int | None
    terms: Mapping[str, float]
    vector: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16] | None
    preview: Preview | None = None
    facts: Facts = field(default_factory=dict)

    @property
    def metadata(self) -> str:
        """The item's metadata as JSON: what its file says, and before that what its source says under the same name."""
        return orjson.dumps({**self.facts, **self.item.metadata}, option=orjson.OPT_SORT_KEYS).decode()


def table(rows: Sequence[Row], *, dim: int, feature_dim: int | None) -> pa.Table:
    """The rows as a table with the schema of a shard."""
    columns: dict[str, Any] = {
        "id": [row.id for row in rows],
        "uri": [row.item.uri for row in rows],
        "text": [row.item.text for row in rows],
        "captions": [list(row.item.captions) for row in rows],
        "label": [row.item.label for row in rows],
        "metadata": [row.metadata for row in rows],
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


def encoded_again(
    old: pa.Table,
    terms: Sequence[Mapping[str, float]],
    vectors: Sequence[npt.NDArray[np.float32]],
    *,
    dim: int,
    feature_dim: int | None,
) -> pa.Table:
    """The table of a shard with other terms and vectors; missing columns of older versions are added, empty."""
    columns: dict[str, Any] = {name: [None] * len(old) for name in ("thumbnail", "phash", "waves")}
    columns |= {name: old[name] for name in old.column_names}
    columns["terms"] = [list(weights.items()) for weights in terms]
    columns["vector"] = _matrix(vectors, dim, np.float32)
    return _table(columns, dim, feature_dim)


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
        ("terms", pa.map_(pa.string(), pa.float32())), ("vector", pa.list_(pa.float32(), dim)),
    ]  # fmt: skip
    return pa.schema(fields + ([("features", pa.list_(pa.float16(), feature_dim))] if feature_dim else []))
