"""What a row of a shard becomes in OpenSearch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from lexel.encoders.term_weights import FREQUENCY_SCALE, TOP_TERMS
from lexel.pipeline.load.documents.row_documents import COLUMNS, documents
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import Item

DIM = 6


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
