"""What a row of a shard becomes in OpenSearch, and what type its metadata have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest

from lexel.encoders.terms import FREQUENCY_SCALE
from lexel.pipeline.load.documents import COLUMNS, TOP_TERMS, documents
from lexel.pipeline.load.metadata_types import metadata_types
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import Item, Scalar

DIM = 6


def _types(*values: Scalar) -> str | None:
    rows = [orjson.dumps({"x": value}).decode() for value in values]
    return metadata_types([pa.record_batch({"metadata": rows})]).of.get("x")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((1, -2, 0), "long"),
        (("1", "-2", "0", "999999999999999999"), "long"),
        ((1, "2"), "long"),
        ((2**63 - 1, -(2**62)), "long"),
        ((2**63,), "keyword"),
        (("9999999999999999999",), "keyword"),
        ((0.5, 1.0), "double"),
        ((1, 0.5), "double"),
        (("0.5", "-12.25", "7"), "double"),
        (("1.", ".5"), "keyword"),
        (("1e5",), "keyword"),
        (("1.2.3",), "keyword"),
        (("1,5",), "keyword"),
        (("٣",), "keyword"),
        (("007",), "keyword"),
        (("007", "8"), "keyword"),
        (("00.5",), "keyword"),
        (("-", "--1"), "keyword"),
        ((True, False), "boolean"),
        ((True, 1), "keyword"),
        (("true",), "keyword"),
        (("2021-05-01",), "date"),
        (("2021-05-01", "2021-05-01T10:30:00Z", "2021-05-01T10:30:00.123456+02:00", "2021-05-01T10:30"), "date"),
        (("2021-02-30",), "keyword"),
        (("2021-05-01 10:30:00",), "keyword"),
        (("2021-05-01T103000",), "keyword"),
        (("2021-W01-1",), "keyword"),
        (("0000-01-01",), "keyword"),
        (("2021-05-01", "soon"), "keyword"),
        (("2021-05-01", 5), "keyword"),
        ((" 5",), "long"),
        (("",), "keyword"),
        (("5", ""), "long"),
        (("dog", 1, 0.5), "keyword"),
    ],
)
def test_the_type_of_a_field_is_what_all_its_values_are(values: Sequence[Scalar], kind: str) -> None:
    assert _types(*values) == kind
    assert _types(*reversed(values)) == kind


def test_types_are_gathered_over_all_batches() -> None:
    batches = [pa.record_batch({"metadata": rows}) for rows in (['{"a":1}', "{}"], ['{"a":"x","b":true}', "", None])]
    assert metadata_types(batches).of == {"a": "keyword", "b": "boolean"}
    assert metadata_types([]).of == {}


def _row(item: Item, terms: dict[str, float], seed: int = 0) -> Row:
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return Row(item, item.identify(b"x"), 640, 480, terms, vector / np.linalg.norm(vector), None)


def _documents(rows: Sequence[Row], size: int = 100) -> list[tuple[str, dict[str, Any]]]:
    batches = table(rows, dim=DIM, feature_dim=None).select(COLUMNS).to_batches(max_chunksize=size)
    return [(id_, orjson.loads(body)) for batch in batches for id_, body in documents(batch, shard=7)]


def test_a_document_holds_the_row() -> None:
    item = Item("a b/ü.jpg", captions=("A dog.", "Snow"), label="pets", metadata={"n": 1, "ok": True, "place": "Århus"})
    terms = {"dog": 2.5, "snow": 1.0078125, "red": 1 / FREQUENCY_SCALE}
    row = _row(item, terms)
    ((id_, document),) = _documents([row])
    assert id_ == document["id"] == row.id
    assert document["words"] == "dog|320 snow|129 red|1"
    assert document["terms"] == terms
    assert list(document["terms"]) == document["top_terms"] == ["dog", "snow", "red"]
    assert np.array_equal(np.array(document["vector"], np.float32), row.vector)
    assert document["meta"] == dict(item.metadata)
    rest = {name: document[name] for name in ("uri", "shard", "captions", "label", "width", "height")}
    assert rest == {
        "uri": "a b/ü.jpg", "shard": 7, "captions": ["A dog.", "Snow"], "label": "pets", "width": 640, "height": 480,
    }  # fmt: skip


def test_what_an_item_has_not_is_not_in_its_document() -> None:
    item = Item("a.txt#1", text="a dog")
    row = Row(item, "i", None, None, {}, np.ones(DIM, np.float32), None)
    ((_, document),) = _documents([row])
    assert document.keys() == {"id", "uri", "shard", "terms", "words", "top_terms", "vector", "meta", "text"}
    assert (document["terms"], document["words"], document["top_terms"], document["meta"]) == ({}, "", [], {})


def test_facets_are_the_heaviest_words() -> None:
    terms = {f"word{i}": 3 - i / 128 for i in range(40)}
    ((_, document),) = _documents([_row(Item("a.jpg"), terms)])
    assert document["top_terms"] == list(terms)[:TOP_TERMS]
    assert len(document["words"].split()) == 40


def test_each_row_keeps_its_own_vector_in_any_batch() -> None:
    rows = [_row(Item(f"{i}.jpg"), {"dog": 1.0}, seed=i) for i in range(10)]
    for size in (1, 3, 100):
        found = _documents(rows, size)
        assert [id_ for id_, _ in found] == [row.id for row in rows]
        for (_, document), row in zip(found, rows, strict=True):
            assert np.array_equal(np.array(document["vector"], np.float32), row.vector)


def test_a_slice_of_a_batch() -> None:
    rows = [_row(Item(f"{i}.jpg"), {"dog": 1.0}, seed=i) for i in range(5)]
    batch = table(rows, dim=DIM, feature_dim=None).select(COLUMNS).to_batches()[0].slice(2, 2)
    found = [orjson.loads(body) for _, body in documents(batch, shard=0)]
    assert [np.array(d["vector"], np.float32).tolist() for d in found] == [row.vector.tolist() for row in rows[2:4]]
