"""What a row of a shard becomes in OpenSearch."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import repeat
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from lexel.encoders.terms import frequencies
from lexel.pipeline.items import Scalar

# How many of the terms that say most of an item are facets; the rest is of use to ranking only.
TOP_TERMS = 16
COLUMNS = ("id", "uri", "text", "captions", "label", "metadata", "width", "height", "thumbnail", "terms", "vector")
# Changes with what documents hold, so that an index which an older lexel began is not gone on with.
LAYOUT = 2
_OPTIONAL = ("text", "captions", "label", "width", "height")
# What OpenSearch's default date format reads; Python's own reader takes more.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# "007" is a name: as a number it would lose its zeros.
_LONG = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_DOUBLE = re.compile(r"-?(0|[1-9]\d{0,17})\.\d+", re.ASCII)


def documents(
    batch: pa.RecordBatch, *, shard: int, beside: Iterable[Mapping[str, Any]] = repeat({})
) -> Iterator[tuple[str, bytes]]:
    """Each row's id and document, as JSON; `beside` are more fields of each."""
    column = batch.column("vector")
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1).astype(np.float32, copy=False)
    rows = batch.drop_columns(["vector"]).to_pylist(maps_as_pydicts="strict")
    for row, vector, more in zip(rows, vectors, beside, strict=False):
        yield row["id"], orjson.dumps(_document(row, vector, shard) | dict(more), option=orjson.OPT_SERIALIZE_NUMPY)


def _document(row: dict[str, Any], vector: Any, shard: int) -> dict[str, Any]:
    terms = row["terms"] or {}
    document = {
        "id": row["id"],
        "uri": row["uri"],
        "shard": shard,
        "terms": terms,
        "words": frequencies(terms),
        "top_terms": list(terms)[:TOP_TERMS],
        "vector": vector,
        "meta": orjson.loads(row["metadata"] or b"{}"),
    }
    # Shards from before pictures had looks have no such column.
    if thumbnail := row.get("thumbnail"):
        document["thumbnail"] = base64.b64encode(thumbnail).decode()
    return document | {name: row[name] for name in _OPTIONAL if row[name] not in (None, [])}


def field_types(batches: Iterable[pa.RecordBatch]) -> dict[str, str]:
    """The OpenSearch type of each metadata field, from all its values: long, double, boolean, date, else keyword.

    A CSV has no types, so "2021-05-01" is a date where every value of that field is one, and a number likewise.
    """
    kinds: dict[str, set[str]] = {}
    for batch in batches:
        for text in batch.column("metadata").to_pylist():
            if text and text != "{}":
                for name, value in orjson.loads(text).items():
                    kinds.setdefault(name, set()).add(_kind(value))
    return {name: _common(found) for name, found in kinds.items()}


def _common(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return kinds.pop()
    return "double" if kinds == {"long", "double"} else "keyword"


def _kind(value: Scalar) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "long" if abs(value) < 2**63 else "keyword"
        case float():
            return "double"
    return _kind_of_text(value)


def _kind_of_text(text: str) -> str:
    if _LONG.fullmatch(text):
        return "long"
    if _DOUBLE.fullmatch(text):
        return "double"
    return "date" if _is_date(text) else "keyword"


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # the 30th of February
        return False
    return True
