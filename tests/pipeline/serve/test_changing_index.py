"""The server while its index changes in place, as a sync changes it: it follows, and what is gone is said."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn
from support.indices import Names, contents
from support.serving import asking, served

from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.results import Cursor


@pytest.fixture
def name(client: OpenSearch, drawn: Drawn, index_name: Names) -> str:
    made = index_name("live")
    load_shards(drawn.folder / "drawn-images", index=made, client=client)
    return made


@pytest.fixture
def api(client: OpenSearch, name: str) -> Iterator[TestClient]:
    with asking(served(client, name)) as made:
        yield made


def next_generation(client: OpenSearch, name: str) -> None:
    """What a sync writes at its end."""
    (mapping,) = client.indices.get_mapping(index=name).values()
    about = mapping["mappings"]["_meta"]
    about["lexel"]["generation"] = about["lexel"].get("generation", 0) + 1
    client.indices.put_mapping(index=name, body={"_meta": about})


def dogs(api: TestClient) -> int:
    listed = api.get("/terms", params={"prefix": "dog"}).json()["terms"]
    return int(next(one["count"] for one in listed if one["term"] == "dog"))


def test_a_new_generation_is_noticed_without_a_restart(client: OpenSearch, api: TestClient, name: str) -> None:
    before = api.get("/indices").json()["indices"][0]
    assert before["documents"] == COUNT
    assert "meta.shelf" not in before["facets"]
    assert dogs(api) < COUNT
    mapped = {"properties": {"meta": {"properties": {"shelf": {"type": "keyword"}}}}}
    client.indices.put_mapping(index=name, body=mapped)
    for place, (id_, document) in enumerate(contents(client, name).items()):
        changed = document | {"meta": document["meta"] | {"shelf": f"s{place % 2}"}}
        changed["top_terms"] = sorted({"dog", *document["top_terms"]})
        client.index(index=name, id=id_, body=changed)
    client.index(index=name, id="added", body=changed | {"id": "added"}, params={"refresh": "true"})
    assert api.get("/indices").json()["indices"][0]["documents"] == COUNT  # the sync has not ended
    next_generation(client, name)
    assert api.get("/healthz").json()["status"] == "ready"  # looks now, not only after some seconds
    after = api.get("/indices").json()["indices"][0]
    assert after["documents"] == COUNT + 1
    assert "meta.shelf" in after["facets"]
    assert dogs(api) == COUNT + 1


def test_the_encoder_is_kept_over_generations(client: OpenSearch, drawn: Drawn, name: str) -> None:
    made = served(client, name)
    registry = made.state.registry
    first = registry.served()
    encoder = first.index.encoder
    next_generation(client, name)
    second = registry.served(fresh=True)
    assert second is not first
    assert second.index.encoder is encoder
    assert registry.served(fresh=True) is second


def test_pages_go_on_over_a_change_and_over_a_generation(client: OpenSearch, api: TestClient, name: str) -> None:
    asked = {"q": "a dog in the snow", "k": 10, "fold": True}
    whole = [hit["id"] for hit in api.get("/search", params=asked | {"k": 40}).json()["hits"]]
    page = api.get("/search", params=asked).json()
    ids = [hit["id"] for hit in page["hits"]]
    for id_ in whole[5:25]:
        client.delete(index=name, id=id_)
    client.indices.refresh(index=name)
    next_generation(client, name)
    api.get("/healthz")
    while len(ids) < 40:
        page = api.get("/search", params=asked | {"page": page["next"]}).json()
        ids += [hit["id"] for hit in page["hits"]]
    assert ids == whole


def test_what_was_deleted_is_said(client: OpenSearch, api: TestClient, name: str) -> None:
    first, second = (hit["id"] for hit in api.get("/search", params={"q": "dog", "k": 2}).json()["hits"])
    client.delete(index=name, id=first, params={"refresh": "true"})
    for address, params in (
        (f"/images/{first}", {}),
        (f"/images/{first}/thumbnail", {}),
        (f"/images/{first}/original", {}),
        ("/explain", {"q": "dog", "id": first}),
        ("/explain", {"q": "dog", "id": second, "against": first}),
        ("/search", {"like": first}),
        ("/similar", {"id": first}),
    ):
        answer = api.get(address, params=params)
        assert answer.status_code == 404, address
        assert first in answer.json()["error"]
    assert api.get("/rank", params={"q": "dog", "id": first}).json()["rank"] is None


def test_a_snapshot_that_the_server_did_not_open_is_not_read(
    client: OpenSearch, api: TestClient, name: str, drawn: Drawn
) -> None:
    found = api.get("/search", params={"q": "dog", "k": 2}).json()
    mine = Cursor.parse(found["next"])
    other = client.create_pit(index="drawn-captions", params={"keep_alive": "1m"})["pit_id"]
    forged = Cursor(mine.index, mine.offset, mine.least, other)
    answer = api.get("/search", params={"q": "dog", "k": 2, "page": str(forged)}).json()
    honest = api.get("/search", params={"q": "dog", "k": 2, "page": found["next"]}).json()
    assert [hit["id"] for hit in answer["hits"]] == [hit["id"] for hit in honest["hits"]]
    client.delete_pit(body={"pit_id": [other]})
