"""Converts the rows of a shard to OpenSearch documents."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from lexel.encoders.term_weights import TOP_TERMS, frequencies
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.load.documents.metadata_fields import MetadataFields

COLUMNS = ("id", "uri", "text", "captions", "label", "metadata", "width", "height", "thumbnail", "terms", "vector")
# Changes with the fields of documents, so that a load which an older version began is not resumed.
LAYOUT = 3
_AS_THEY_ARE = MetadataFields()
_OPTIONAL = ("text", "captions", "label", "width", "height")


def documents(
    batch: pa.RecordBatch,
    *,
    shard: int,
    metadata: MetadataFields = _AS_THEY_ARE,
    fields: Iterable[Mapping[str, Any]] = repeat({}),
) -> Iterator[tuple[str, bytes]]:
    """Yield the id and the document (JSON) of each row; `metadata` names its metadata, `fields` are more fields."""
    column = batch.column("vector")
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1).astype(np.float32, copy=False)
    rows = batch.drop_columns(["terms", "vector"]).to_pylist()
    for row, views, vector, more in zip(rows, _views(batch.column("terms")), vectors, fields, strict=False):
        document = _document(row, shard, metadata) | views | {"vector": vector} | dict(more)
        yield document_id(row["id"]), orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _document(row: dict[str, Any], shard: int, metadata: MetadataFields) -> dict[str, Any]:
    meta = orjson.Fragment(metadata.stored(row["metadata"] or "{}"))
    about = {"id": row["id"], "uri": row["uri"], "shard": shard, "meta": meta}
    # Shards of older versions have no such column.
    if thumbnail := row.get("thumbnail"):
        about["thumbnail"] = base64.b64encode(thumbnail).decode()
    return about | {name: row[name] for name in _OPTIONAL if row[name] not in (None, [])}


def _views(column: pa.MapArray) -> Iterator[dict[str, Any]]:
    """The fields made from each row's terms. Arrow joins them; Python objects would take three times as long."""
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
    """The texts up to each end, joined."""
    found: list[str] = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), texts), by).to_pylist()
    return found


def _as_json(values: pa.Array) -> pa.Array:
    """Each value as JSON; distinct values are converted once."""
    kinds = values.dictionary_encode()
    return pa.array([orjson.dumps(value).decode() for value in kinds.dictionary.to_pylist()], pa.string()).take(
        kinds.indices
    )
