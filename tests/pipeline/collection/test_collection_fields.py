"""What a load says of items beside one another, on a real node: the same, however often it stopped."""

import base64
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.indices import Names, contents
from support.synthetic import Collection, collection, forget_looks

from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.shards.folder import finished_shards

# Rows 0 to 9 are ten copies, 120 to 124 five, across shards; the others have nobody near.
COPIES = {0: 0, 120: 0x7777_0123_4567_89AB}
HASHES = {start + i: COPIES[start] ^ i for start, size in ((0, 10), (120, 5)) for i in range(size)}
OTHERS = {row: row * 0x0567_89AB_CDEF_0137 % 2**63 for row in range(10, 120)}


@pytest.fixture
def items(tmp_path: Path) -> Collection:
    return collection(tmp_path / "a", count=130, shard_size=25, hashes=HASHES | OTHERS)


def test_documents_have_thumbnail_group_and_place(client: OpenSearch, items: Collection, index_name: Names) -> None:
    index = index_name("beside")
    load_shards(items.folder, index=index, client=client)
    there = contents(client, index)
    assert base64.b64decode(there[items.ids[0]]["thumbnail"]) == b"thumbnail of 0"
    assert {there[items.ids[row]]["near"] for row in range(10)} == {min(items.ids[:10])}
    assert {there[items.ids[row]]["near"] for row in range(120, 125)} == {min(items.ids[120:125])}
    alone = items.ids[10:120] + items.ids[125:]
    assert all(there[id_]["near"] == id_ for id_ in alone)
    assert all(0 <= document["map"][axis] <= 1 for document in there.values() for axis in "xy")
    assert "thumbnail" not in there[items.ids[129]]
    assert len({(d["map"]["x"], d["map"]["y"]) for d in there.values()}) > 120


def test_an_index_folds_by_near_and_maps_by_numbers(client: OpenSearch, items: Collection, index_name: Names) -> None:
    index = index_name("folds")
    load_shards(items.folder, index=index, client=client)
    body = {"size": 200, "query": {"match_all": {}}, "collapse": {"field": "near"}}
    assert len(client.search(index=index, body=body)["hits"]["hits"]) == 130 - 9 - 4
    box = {"bool": {"filter": [{"range": {f"map.{axis}": {"gte": 0, "lte": 1}}} for axis in "xy"]}}
    assert client.count(index=index, body={"query": box})["count"] == 130


@pytest.mark.parametrize("map_lost", [False, True])
def test_a_load_that_goes_on_writes_the_same(
    client: OpenSearch, items: Collection, index_name: Names, map_lost: bool
) -> None:
    index = index_name("resumed")
    load_shards(items.folder, index=index, client=client)
    before = contents(client, index)
    lost = {"query": {"terms": {"shard": [0, 4]}}}
    client.delete_by_query(index=index, body=lost, params={"refresh": "true"})
    assert len(contents(client, index)) == 80
    if map_lost:
        (items.folder / "map.parquet").unlink()
    assert load_shards(items.folder, index=index, client=client).sent == 50
    assert contents(client, index) == before


def test_a_plain_load_says_nothing_of_it_and_is_another_index(
    client: OpenSearch, items: Collection, index_name: Names
) -> None:
    index = index_name("plain")
    whole = load_shards(items.folder, index=index, client=client)
    plain = load_shards(
        items.folder, index=index, client=client, options=LoadOptions(collection_fields=False, templates=False)
    )
    assert plain.index != whole.index
    assert all(not {"near", "map"} & document.keys() for document in contents(client, index).values())


def test_shards_from_before_pictures_had_looks_are_loaded(
    client: OpenSearch, items: Collection, index_name: Names
) -> None:
    for shard in finished_shards(items.folder)[:2]:
        forget_looks(shard)
    index = index_name("old")
    load_shards(items.folder, index=index, client=client)
    there = contents(client, index)
    assert len(there) == 130
    assert "thumbnail" not in there[items.ids[0]]
    assert there[items.ids[0]]["near"] == items.ids[0]
    assert there[items.ids[121]]["near"] == min(items.ids[120:125])
