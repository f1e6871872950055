"""What a row of a shard becomes in OpenSearch."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from lexel.encoders.terms import frequencies
from lexel.pipeline.load.metadata_types import tidied

# How many of the terms that say most of an item are facets; the rest is of use to ranking only.
TOP_TERMS = 16
COLUMNS = ("id", "uri", "text", "captions", "label", "metadata", "width", "height", "thumbnail", "terms", "vector")
# Changes with what documents hold, so that an index which an older lexel began is not gone on with.
LAYOUT = 2
_OPTIONAL = ("text", "captions", "label", "width", "height")


def documents(
    batch: pa.RecordBatch,
    *,
    shard: int,
    beside: Iterable[Mapping[str, Any]] = repeat({}),
    untidy: frozenset[str] = frozenset(),
) -> Iterator[tuple[str, bytes]]:
    """Each row's id and document, as JSON; `beside` are more fields of each, `untidy` metadata to be tidied."""
    column = batch.column("vector")
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1).astype(np.float32, copy=False)
    rows = batch.drop_columns(["terms", "vector"]).to_pylist()
    for row, views, vector, more in zip(rows, _views(batch.column("terms")), vectors, beside, strict=False):
        document = _document(row, shard, untidy) | views | {"vector": vector} | dict(more)
        yield row["id"], orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _document(row: dict[str, Any], shard: int, untidy: frozenset[str]) -> dict[str, Any]:
    metadata = row["metadata"] or "{}"
    meta = tidied(orjson.loads(metadata), untidy) if untidy else orjson.Fragment(metadata)
    about = {"id": row["id"], "uri": row["uri"], "shard": shard, "meta": meta}
    # Shards from before pictures had looks have no such column.
    if thumbnail := row.get("thumbnail"):
        about["thumbnail"] = base64.b64encode(thumbnail).decode()
    return about | {name: row[name] for name in _OPTIONAL if row[name] not in (None, [])}


def _views(column: pa.MapArray) -> Iterator[dict[str, Any]]:
    """The fields of each row's terms. Arrow writes them all at once: a Python object a term costs three times more."""
    offsets = column.offsets.to_numpy()
    ends = offsets - offsets[0]
    terms, weights = (all_.slice(offsets[0], ends[-1]) for all_ in (column.keys, column.items))
    counts = pa.array(frequencies(weights.to_numpy())).cast(pa.string())
    pairs = _joined(ends, pc.binary_join_element_wise(_as_json(terms), _as_json(weights), ":"), ",")
    words = _joined(ends, pc.binary_join_element_wise(terms, counts, "|"), " ")
    names, starts = terms.to_numpy(zero_copy_only=False), ends.tolist()
    for pair, text, start, end in zip(pairs, words, starts, starts[1:], strict=False):
        yield {
            "terms": orjson.Fragment(f"{{{pair}}}"),
            "words": text,
            "top_terms": names[start : min(end, start + TOP_TERMS)].tolist(),
        }


def _joined(ends: npt.NDArray[np.int32], texts: pa.Array, by: str) -> list[str]:
    """The texts of each run put together."""
    found: list[str] = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), texts), by).to_pylist()
    return found


def _as_json(values: pa.Array) -> pa.Array:
    """Each value as JSON. There are fewer different ones than values."""
    kinds = values.dictionary_encode()
    return pa.array([orjson.dumps(value).decode() for value in kinds.dictionary.to_pylist()], pa.string()).take(
        kinds.indices
    )
