"""What metadata become in an index: names that it takes, types of all values, and nothing lost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from opensearchpy import OpenSearch
from support.indices import Names, contents
from support.synthetic import collection

from lexel.pipeline.load.documents import metadata_fields as module
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.load.documents.metadata_fields import MetadataFields, metadata_fields
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.filters import parse_filter
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.shard import write_shard
from lexel.pipeline.sources.item import Scalar


def _types(*values: Scalar) -> Mapping[str, Any]:
    rows = [orjson.dumps({"x": value}).decode() for value in values]
    return metadata_fields([pa.record_batch({"metadata": rows})]).properties["x"]


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
    assert _types(*values)["type"] == kind
    assert _types(*reversed(values))["type"] == kind


def test_types_are_gathered_over_all_batches() -> None:
    batches = [pa.record_batch({"metadata": rows}) for rows in (['{"a":1}', "{}"], ['{"a":"x","b":true}', "", None])]
    assert metadata_fields(batches).properties == {"a": {"type": "keyword"}, "b": {"type": "boolean"}}
    assert metadata_fields([]) == MetadataFields()


@pytest.mark.parametrize(
    ("values", "kind"),
    [(("5", "NA"), "long"), (("0.5", 7, "n/a", "NaN"), "double"), (("2021-05-01", "unknown", None), "date")],
)
def test_words_for_a_missing_value_leave_numbers_and_dates(values: Sequence[Scalar], kind: str) -> None:
    assert _types(*values) == {"type": kind}


def test_words_for_a_missing_value_are_words_among_words() -> None:
    assert _types("DE", "NA") == _types("NA") == {"type": "keyword"}


def test_what_no_index_can_search_is_stored() -> None:
    assert _types("x" * 40_000, "y") == {"type": "keyword", "ignore_above": 10_922}
    assert _types("x" * 20_000) == {"type": "keyword"}
    assert _types([{"box": [1, 2]}], "none") == _types({"a": 1}) == {"type": "object", "enabled": False}


def names(*given: str) -> dict[str, str]:
    rows = [orjson.dumps({name: 1}).decode() for name in given]
    found = metadata_fields([pa.record_batch({"metadata": rows})])
    assert found.properties.keys() == {found.names.get(name, name) for name in given}
    return dict(found.names)


def test_names_that_an_index_takes_stay() -> None:
    assert names("a", "b.c", "b.d", "two words", "ä", "a_b", "-", "#", "A") == {}


def test_names_that_an_index_does_not_take_are_others() -> None:
    assert names("") == {"": "unnamed"}
    assert names("", "unnamed", " ") == {"": "unnamed_2", " ": "unnamed_3"}
    assert names(".hidden", "hidden", "end.", "two..dots") == {
        ".hidden": "hidden_2",
        "end.": "end",
        "two..dots": "two.dots",
    }
    assert names("a", "a.b", "a.b.c", "a_b") == {"a.b": "a_b_2", "a.b.c": "a_b_c"}
    assert names("a.b", ".a") == {".a": "a_2"}
    assert names(".".join("abcdefghijklmnopqrstuvwxyz")) == {
        ".".join("abcdefghijklmnopqrstuvwxyz"): "_".join("abcdefghijklmnopqrstuvwxyz")
    }
    assert len(next(iter(names("x" * 5000).values()))) < 1100


def test_of_more_fields_than_an_index_should_have_the_commonest_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FIELDS", 2)
    rows = ['{"rare":1,"a":1}', '{"b":1,"a":1}', '{"b":1}']
    assert metadata_fields([pa.record_batch({"metadata": rows})]).properties.keys() == {"a", "b"}


def describe(folder: Path, items: Mapping[int, Mapping[str, Any]], ids: Mapping[int, str]) -> None:
    """Give some items of shard 0 other metadata, or another id."""
    shard = finished_shards(folder)[0]
    table = shard.table()
    rows = {name: table[name].to_pylist() for name in ("metadata", "id")}
    for i, metadata in items.items():
        rows["metadata"][i] = orjson.dumps(metadata).decode()
    for i, own in ids.items():
        rows["id"][i] = own
    for name, values in rows.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    write_shard(folder, 0, table, listing=shard.listing(), failures=[])


def test_a_collection_of_odd_metadata_is_loaded_whole(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=12), index_name("odd")
    odd: dict[int, Mapping[str, Any]] = {
        0: {"": 0, ".x": "y", "a": 1, "a.b": "two", "z..z": 1, " ": 2, "e.": 3},
        1: {"text": "long " * 9000, "place": "lake"},
        2: {"boxes": [{"at": [1, 2.5], "of": {"deep": "x"}}] * 500},
        3: {f"n{i}.{k}": i for i in range(450) for k in "abc"},
        4: {"year": "NA", "q" * 40_000: 1, ".".join("x" * 60): 1},
        5: {"year": "2012"},
        6: {"boxes": "none", "year": 2010},
    }
    own_id = "https://example.org/" + "ü" * 400
    describe(items.folder, odd, {7: own_id, 8: own_id + "8"})
    assert load_shards(items.folder, index=index, client=client).documents == 12
    there = contents(client, index)
    meta = [there[document_id(own)]["meta"] for own in (*items.ids[:7], own_id)]
    assert meta[0] == {"unnamed": 0, "x": "y", "a": 1, "a_b": "two", "z.z": 1, "unnamed_2": 2, "e": 3}
    assert meta[1]["text"] == odd[1]["text"]
    assert meta[2]["boxes"] == odd[2]["boxes"]
    assert len(meta[3]) == 1350
    place = SearchIndex(client, index)
    for condition, count in (
        ("place=lake", 1),
        ("n449.c=449", 1),
        ("year>=2010", 2),
        ("year=2011..2013", 1),
        ("a_b=two", 1),
    ):
        assert browse(place, filters=[parse_filter(condition)]).total == count
    assert place.item(own_id)["id"] == own_id
    assert place.item(own_id)["_id"] == document_id(own_id) != document_id(own_id + "8")
    assert place.item(document_id(own_id))["_id"] == document_id(own_id)


def test_one_document_that_is_refused_is_left_out_and_listed(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    """A whole request is refused for it, as for an id that is too long for OpenSearch."""
    from lexel.pipeline.load import bulk

    index = index_name("whole")
    documents = [(f"{i}" if i != 5 else "x" * 600, b'{"n":1}') for i in range(9)]
    sent = list(bulk.send(client, index, documents))
    assert sum(one.accepted for one in sent) == 8
    (rejected,) = (row for one in sent for row in one.rejected)
    assert (rejected.id, rejected.of_content) == ("x" * 600, True)
    assert "too long" in rejected.reason
    client.indices.delete(index=index)
