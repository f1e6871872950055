"""`lexel serve`: what it answers, on a real node."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn
from support.serving import asking, served

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


@pytest.fixture(scope="module")
def api(drawn: Drawn, client: OpenSearch) -> Iterator[TestClient]:
    with asking(served(client)) as made:
        yield made


def some_id(api: TestClient) -> str:
    return str(api.get("/search", params={"k": 1}).json()["hits"][0]["id"])


@pytest.mark.parametrize("mode", ["words", "terms", "vector", "hybrid"])
def test_a_search_is_that_of_the_command_line(api: TestClient, drawn: Drawn, mode: str) -> None:
    found = api.get("/search", params={"q": "a dog^2 in the snow", "mode": mode, "k": 5}).json()
    hits = search_index(drawn.images, SearchRequest("a dog^2 in the snow", mode=mode, k=5, paged=True)).hits  # type: ignore[arg-type]
    assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in hits]
    for hit in found["hits"]:
        assert sum(hit["terms"].values()) + hit["vector"] == pytest.approx(hit["score"], rel=1e-5)
        constant = {"vector": 1.0, "hybrid": drawn.images.encoder.vector_weight("text")}.get(mode, 0.0)
        assert hit["_score"] == pytest.approx(hit["score"] + constant, rel=1e-5)
        assert "path" not in hit
    assert found["words"] == {"dog": "dog", "snow": "snow"}


def test_one_question_by_address_by_json_and_by_form(api: TestClient) -> None:
    asked = {"q": "dog -cat", "k": 4, "filter": ["time=day"], "facet": ["term", "place"], "facet_size": 3}
    by_address = api.get("/search", params=asked).json()
    by_json = api.post("/search", json=asked).json()
    by_form = api.post("/search", data=asked).json()
    for other in (by_json, by_form):
        assert {k: v for k, v in other.items() if k != "took_ms"} == {
            k: v for k, v in by_address.items() if k != "took_ms"
        }
    assert set(by_address["facets"]) == {"top_terms", "meta.place"}
    assert all(hit["meta"]["time"] == "day" for hit in by_address["hits"])


def test_a_picture_finds_itself_and_words_steer_it(api: TestClient, drawn: Drawn) -> None:
    content = (drawn.folder / "images/000007.jpg").read_bytes()
    found = api.post("/search", files={"image": ("a.jpg", content)}, data={"k": "3"}).json()
    assert found["hits"][0]["uri"] == "images/000007.jpg"
    steered = api.post("/search", files={"image": ("a.jpg", content)}, data={"q": "boat", "share": "0.9"}).json()
    assert "boat" in steered["asked"] or "sailboat" in steered["asked"] or steered["unknown"]
    why = api.post("/explain", params={"id": found["hits"][0]["id"]}, files={"image": ("a.jpg", content)}).json()
    assert why["cosine"] == pytest.approx(1, abs=0.01)
    assert why["score"] == pytest.approx(found["hits"][0]["score"], rel=1e-4)


def test_pages_neither_repeat_nor_skip(api: TestClient) -> None:
    for asked in ({"q": "a dog", "mode": "words"}, {"q": "a dog"}, {}):
        whole = [hit["id"] for hit in api.get("/search", params={**asked, "k": 60}).json()["hits"]]
        paged, page = [], None
        while len(paged) < 60:
            found = api.get("/search", params={**asked, "k": 20, **({"page": page} if page else {})}).json()
            paged += [hit["id"] for hit in found["hits"]]
            page = found["next"]
            if page is None:
                break
        assert paged == whole[: len(paged)]
        assert len(paged) == len(whole)


def test_a_place_in_another_index_is_refused(api: TestClient, drawn: Drawn, client: OpenSearch) -> None:
    page = api.get("/search", params={"q": "dog", "index": "drawn-captions", "k": 2}).json()["next"]
    answer = api.get("/search", params={"q": "dog", "k": 2, "page": page})
    assert answer.status_code == 404
    assert "first page" in answer.json()["error"]
    assert api.get("/search", params={"q": "dog", "page": "nonsense"}).status_code == 400


def test_nothing_asked_for_lists_the_collection(api: TestClient) -> None:
    found = api.get("/search", params={"k": 200, "facet": "time"}).json()
    assert (found["total"], len(found["hits"])) == (COUNT, COUNT)
    assert sum(found["facets"]["meta.time"].values()) == COUNT
    only = api.get("/search", params={"q": "-dog", "k": 200}).json()
    assert 0 < only["total"] < COUNT
    assert not any("dog" in hit["top_terms"] for hit in only["hits"])


def test_an_item_and_its_pictures(api: TestClient, drawn: Drawn) -> None:
    id_ = some_id(api)
    item = api.get(f"/images/{id_}").json()
    assert item["original"]
    assert list(item["terms"].values()) == sorted(item["terms"].values(), reverse=True)
    small = api.get(f"/images/{id_}/thumbnail")
    assert small.headers["content-type"] == "image/jpeg"
    assert small.headers["access-control-allow-origin"] == "*"
    whole = api.get(f"/images/{id_}/original")
    assert whole.content == (drawn.folder / item["uri"]).read_bytes()
    assert "access-control-allow-origin" not in whole.headers
    assert "sandbox" in whole.headers["content-security-policy"]


def test_what_is_like_an_item_is_not_the_item(api: TestClient) -> None:
    id_ = some_id(api)
    found = api.get("/similar", params={"id": id_, "k": 5}).json()
    assert len(found["hits"]) == 5
    assert id_ not in [hit["id"] for hit in found["hits"]]


def test_a_search_is_steered_by_items(api: TestClient) -> None:
    liked, unliked, *_ = (hit["id"] for hit in api.get("/search", params={"q": "a dog", "k": 3}).json()["hits"])
    asked = {"q": "a dog", "like": [liked], "unlike": [unliked], "k": 9, "facet": "time"}
    by_address = api.get("/search", params=asked).json()
    by_form = api.post("/search", data=asked).json()
    assert [hit["id"] for hit in by_form["hits"]] == [hit["id"] for hit in by_address["hits"]]
    assert not {liked, unliked} & {hit["id"] for hit in by_address["hits"]}
    assert by_address["gained"]
    assert all(weight < 0 for weight in by_address["lost"].values())
    assert {word: weight for word, weight in by_address["asked"].items() if word in by_address["gained"]}
    rest = api.get("/search", params={**asked, "page": by_address["next"]}).json()
    assert not {hit["id"] for hit in rest["hits"]} & {hit["id"] for hit in by_address["hits"]}
    why = api.get("/explain", params={**asked, "id": by_address["hits"][0]["id"]}).json()
    assert why["score"] == pytest.approx(by_address["hits"][0]["score"], rel=1e-4)
    sent = api.get("/search", params={**asked, "dsl": True}).json()["dsl"]
    assert unliked in str(sent["query"]["bool"]["filter"])


def test_words_complete_what_is_typed(api: TestClient) -> None:
    found = api.get("/terms", params={"prefix": "do", "k": 50}).json()
    counts = {one["term"]: one["count"] for one in found["terms"]}
    assert all(one["form"].startswith("do") for one in found["terms"])
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    # What it counts is what a requirement leaves.
    assert counts["dog"] == api.get("/search", params={"q": "+dog", "mode": "words"}).json()["total"]


def test_examples_are_captions_with_a_known_answer(api: TestClient) -> None:
    found = api.get("/examples", params={"k": 8, "seed": 3}).json()["examples"]
    assert len(found) == 8
    ranks = [api.get("/rank", params={"q": one["q"], "id": one["id"]}).json() for one in found]
    assert sum(one["rank"] is not None and one["rank"] <= 50 for one in ranks) >= 4
    assert api.get("/examples", params={"index": "drawn-captions"}).json()["examples"] == []


def test_explanations(api: TestClient) -> None:
    hits = api.get("/search", params={"q": "dog snow", "k": 3}).json()["hits"]
    why = api.get("/explain", params={"q": "dog snow xyzzy", "id": hits[0]["id"]}).json()
    assert why["matches"]
    assert why["unknown"] == ["xyzzy"]
    assert sum(part["share"] for part in why["terms"]) + why["vector"] == pytest.approx(why["score"], rel=1e-4)
    both = api.get("/explain", params={"q": "dog snow", "id": hits[2]["id"], "against": hits[0]["id"]}).json()
    assert both["above"]["id"] == hits[0]["id"]


def test_the_query_is_what_opensearch_takes(api: TestClient, client: OpenSearch) -> None:
    found = api.get("/search", params={"q": "dog snow", "k": 7, "dsl": True}).json()
    answer = client.search(index="drawn-images", body=found["dsl"])
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == [hit["id"] for hit in found["hits"]]


def test_indices_say_what_they_are(api: TestClient) -> None:
    pictures, captions = api.get("/indices").json()["indices"]
    assert (pictures["documents"], pictures["side"], captions["side"]) == (COUNT, "image", "text")
    assert "meta.time" in pictures["facets"]
    assert pictures["captioned"] == COUNT


def test_captions_are_searched_like_pictures(api: TestClient) -> None:
    found = api.get("/search", params={"q": "a dog", "index": "drawn-captions", "k": 5}).json()
    assert all(hit["text"] for hit in found["hits"])
    shown = api.get(f"/images/{found['hits'][0]['id']}/thumbnail", params={"index": "drawn-captions"})
    assert shown.status_code == 200


ERRORS = {
    "no such address": ("/nothing", {}, 404),
    "no such index": ("/search", {"index": "other", "q": "dog"}, 404),
    "an index by a pattern": ("/search", {"index": "*", "q": "dog"}, 404),
    "no such item": ("/images/none", {}, 404),
    "like no item": ("/similar", {"id": "none"}, 404),
    "unlike no item": ("/search", {"q": "dog", "unlike": "none"}, 404),
    "unlike something and like nothing": ("/search", {"unlike": "none"}, 400),
    "no such mode": ("/search", {"q": "dog", "mode": "magic"}, 422),
    "an unknown parameter": ("/search", {"query": "dog"}, 422),
    "a filter without sense": ("/search", {"q": "dog", "filter": "place"}, 400),
    "a filter of the wrong type": ("/search", {"q": "dog", "filter": "width=wide"}, 400),
    "nothing to explain": ("/explain", {"id": "x", "q": ""}, 400),
}


@pytest.mark.parametrize(("path", "asked", "status"), ERRORS.values(), ids=ERRORS)
def test_failures_are_one_sentence(api: TestClient, path: str, asked: dict[str, str], status: int) -> None:
    answer = api.get(path, params=asked)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"].endswith(".")


def test_a_cluster_that_is_away_is_said_so(drawn: Drawn) -> None:
    with asking(served(connect(Address("http://127.0.0.1:9")))) as api:
        for path in ("/search?q=dog", "/indices", "/terms"):
            answer = api.get(path)
            assert answer.status_code == 503
            assert "does not answer" in answer.json()["error"]
            assert answer.headers["retry-after"]
        assert api.get("/healthz").json()["status"] == "away"
        assert api.get("/").status_code == 200


def test_health_and_metrics(api: TestClient) -> None:
    assert api.get("/healthz").json()["cluster"]
    api.get("/images/some-id")
    counted = api.get("/metrics").text
    assert 'lexel_requests_total{method="GET",route="/images/{id:path}",status="404"}' in counted
    assert "some-id" not in counted


def test_words_are_searched_without_torch(drawn: Drawn, at_node: str) -> None:
    code = """
import json, sys
from fastapi.testclient import TestClient
from lexel.pipeline.cluster.client import connect
from lexel.pipeline.serve.app import app
from lexel.pipeline.serve.index_registry import IndexRegistry
with TestClient(app(IndexRegistry(connect(), ["drawn-images"], prepare=False))) as api:
    found = [api.get("/search", params={"q": "dog snow", "mode": mode}).json()["total"] for mode in ("words", "terms")]
print(json.dumps([found, "torch" in sys.modules]))
"""
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found, torch = json.loads(answer.stdout)
    assert found[0] == found[1] > 0
    assert not torch


def test_an_index_loaded_anew_is_seen(client: OpenSearch, drawn: Drawn) -> None:
    made = served(client, "drawn-images")
    with asking(made):
        registry = made.state.registry
        before = registry.served()
        assert registry.served() is before
        before.real = "drawn-images-gone"
        assert registry.served(fresh=True) is not before


def test_networks_are_loaded_behind_the_back(client: OpenSearch, drawn: Drawn) -> None:
    index = served(client, "drawn-images").state.registry.served()
    assert index.model == "waiting"
    index.prepare()
    assert index.model == "ready"
