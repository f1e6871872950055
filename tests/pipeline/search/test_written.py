"""Words that people wrote as a third part of the sum: exact, explained, and nothing at all at a weight of 0."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from support.commands import lexel
from support.pictures.embedded import photograph
from support.serving import asking, served

from lexel.encoders import open_encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.explain import score_parts
from lexel.pipeline.explain.comparison import compare_items
from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.notebook import IndexHandle
from lexel.pipeline.search import index as index_module
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import as_json
from lexel.pipeline.search.run import search_index
from lexel.pipeline.sources.source import open_source

INDEX = "written"
EXACT: tuple[Mode, ...] = ("terms", "words", "hybrid")
# What is written of each picture, beside "Grandma at the lake" in the file of each.
TITLES = ("Zermatt", "Zermatt and the dogs", "Oslo", "", "Oslo in the snow", "Zermatt, Oslo", "Paris", "A dog")
TEXT = "two dogs^2 in Zermatt with Grandma"


@pytest.fixture(scope="module")
def index(client: OpenSearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    """Eight pictures with titles in their files, and a caption each in the source."""
    folder = tmp_path_factory.mktemp("written")
    lines = []
    for i, title in enumerate(TITLES):
        (folder / f"{i}.jpg").write_bytes(photograph(i, title=title))
        captions = [f"the caption numbered n{i}", "by Ansel", "x" * 40_000]  # the last is longer than Lucene's terms
        lines.append(json.dumps({"image": f"{i}.jpg", "captions": captions}))
    (folder / "m.jsonl").write_text("\n".join(lines))
    options = EncodeOptions(device="cpu")
    encode_source(open_source(folder / "m.jsonl"), folder / "shards", encoder=open_encoder(), options=options)
    load_shards(folder / "shards", index=INDEX, client=client)
    yield SearchIndex(client, INDEX, device="cpu")
    client.indices.delete(index=f"{INDEX}-*")


def found(index: SearchIndex, text: str, weight: float, **more: Any) -> dict[str, Any]:
    request = SearchRequest(text, written_weight=weight, **({"mode": "words"} | more))
    return {hit.uri: hit for hit in search_index(index, request).hits}


@pytest.mark.parametrize(
    ("text", "uris"),
    [
        ("Zermatt", "015"),
        ("ZERMATT", "015"),
        ("oslo", "245"),
        ("n3", "3"),
        ("ansel", "01234567"),
        ("Berlin", "01234567"),
        ("the", ""),
        ("nowhere", ""),
    ],
)
def test_titles_keywords_and_captions_are_searched(index: SearchIndex, text: str, uris: str) -> None:
    assert sorted(found(index, text, 2.0)) == [f"{i}.jpg" for i in uris]


def test_each_word_counts_once_by_its_boost(index: SearchIndex) -> None:
    parts = {uri: dict(hit.written) for uri, hit in found(index, "oslo zermatt^3 oslo", 2.0).items()}
    assert parts == {
        **{"0.jpg": {"zermatt": 6.0}, "1.jpg": {"zermatt": 6.0}, "5.jpg": {"zermatt": 6.0, "oslo": 4.0}},
        **{"2.jpg": {"oslo": 4.0}, "4.jpg": {"oslo": 4.0}},
    }


def test_forms_of_a_word_are_one(index: SearchIndex) -> None:
    parts = {uri: dict(hit.written) for uri, hit in found(index, "dogs", 1.0).items() if hit.written}
    assert parts == {"1.jpg": {"dog": 1.0}, "7.jpg": {"dog": 1.0}}


@pytest.mark.parametrize("weight", [0.5, 7.3])
@pytest.mark.parametrize("mode", EXACT)
def test_three_parts_are_the_engines_score(index: SearchIndex, mode: Mode, weight: float) -> None:
    request = SearchRequest(TEXT, mode=mode, k=8, written_weight=weight, cutoff=False)
    plain = {hit.id: hit.score for hit in search_index(index, replace(request, written_weight=0.0)).hits}
    hits = search_index(index, request).hits
    assert len(hits) == 8
    for hit in hits:
        why = explain_item(index, hit.id, request)
        assert why.matches
        alike = pytest.approx(hit.score, abs=2e-6 * hit.engine_score)  # which has 24 bits
        assert why.score == alike
        terms, written = sum(part.share for part in why.parts), sum(why.written.values())
        assert terms + written + (why.vector_part or 0.0) == alike
        assert why.written == pytest.approx(dict(hit.written))
        shares = (*hit.parts.values(), *hit.written.values(), hit.vector_part)
        assert sum(shares) == alike
        assert hit.score - plain.get(hit.id, 0.0) == pytest.approx(written, rel=1e-4)
        assert score_parts.as_json(why)["written"] == dict(why.written)
    counts = {hit.uri: round(sum(hit.written.values()) / weight) for hit in hits}
    assert counts == {f"{i}.jpg": n for i, n in enumerate((2, 4, 1, 1, 1, 2, 1, 3))}


@pytest.mark.parametrize("mode", MODES)
def test_at_no_weight_the_request_is_what_it_was(index: SearchIndex, mode: Mode) -> None:
    body = search_index(index, SearchRequest(TEXT, mode=mode)).body
    assert "written" not in json.dumps(body)
    result = search_index(index, SearchRequest(TEXT, mode=mode, written_weight=0.0))
    assert result.body == body
    assert not any("written" in hit for hit in as_json(result)["hits"])


def test_without_written_words_query_bodies_are_what_they_were() -> None:
    weights = {"dog": 1.0}
    assert query_dsl.terms(weights) == query_dsl.terms(weights, written={})
    assert query_dsl.words("dog") == query_dsl.words("dog", written={})
    near: dict[str, Any] = {"vector": [1.0, 0.0], "weight": 2.0}
    assert query_dsl.hybrid(weights, **near) == query_dsl.hybrid(weights, **near, written={})


def test_filters_pages_folds_and_facets_go_with_it(index: SearchIndex) -> None:
    request = SearchRequest("Zermatt", mode="hybrid", written_weight=50.0, paged=True, k=2, cutoff=False)
    first = search_index(index, request)
    assert not first.by_vector_alone  # people wrote it
    assert [hit.uri for hit in first.hits if hit.written] == [hit.uri for hit in first.hits]
    second = search_index(index, replace(request, after=first.next))
    assert [bool(hit.written) for hit in second.hits] == [True, False]
    folded = search_index(index, replace(request, paged=False, fold=True, k=8)).hits
    assert sum(bool(hit.written) for hit in folded) == 3
    only = search_index(
        index, replace(request, filters=[{"term": {"meta.title": "Zermatt"}}], facets={"meta.title": 3})
    )
    assert [hit.uri for hit in only.hits] == ["0.jpg"]


def test_a_picture_beside_the_words_takes_its_share(index: SearchIndex) -> None:
    content = photograph(2)
    request = SearchRequest("Zermatt", images=(content,), share=0.25, written_weight=8.0, k=8)
    hits = {hit.uri: hit for hit in search_index(index, request).hits}
    # The picture has three times the share of the words.
    assert dict(hits["0.jpg"].written) == pytest.approx({"zermatt": 8 / 3})
    why = explain_item(index, "0.jpg", request)
    assert why.score == pytest.approx(hits["0.jpg"].score, abs=2e-6 * hits["0.jpg"].engine_score)


def test_two_items_are_compared_by_it(index: SearchIndex) -> None:
    request = SearchRequest("Zermatt Oslo", written_weight=1000.0)
    compared = compare_items(index, request, "2.jpg", "5.jpg")
    assert compared.above.uri == "5.jpg"
    assert [(one.term, one.above, one.below) for one in compared.written] == [("zermatt", 1000.0, 0.0)]
    total = sum(one.share for one in (*compared.terms, *compared.written)) + compared.vector
    assert total == pytest.approx(compared.scores[0] - compared.scores[1], abs=1e-2)


def test_many_words_are_looked_up_in_turns(index: SearchIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [item["_id"] for item in index.items(["0.jpg", "5.jpg"])]
    words = ["zermatt", "oslo", "grandma", "nowhere", "zermatt"]
    whole = index.written_of(ids, words)
    assert whole == {ids[0]: {"zermatt", "grandma"}, ids[1]: {"zermatt", "oslo", "grandma"}}
    monkeypatch.setattr(index_module, "_CLAUSES", 2)
    assert index.written_of(ids, words) == whole


def test_a_text_of_too_many_words_is_refused(index: SearchIndex) -> None:
    with pytest.raises(ConfigError, match="at most 8,000 words"):
        index.written_words("word " * 8001)


@pytest.mark.parametrize("mode", EXACT)
def test_the_edit_that_swaps_two_items_does(index: SearchIndex, mode: Mode) -> None:
    request = SearchRequest("Zermatt dog", mode=mode, written_weight=4.0)
    compared = compare_items(index, request, "0.jpg", "7.jpg")
    if compared.swap is not None:
        again = compare_items(
            index, replace(request, text=compared.swap, query=type(request.query)()), "0.jpg", "7.jpg"
        )
        assert again.above.uri == compared.below.uri


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"written_weight": -1.0}, "weight of the words that people wrote must be at least 0, not -1"),
        ({"written_weight": 1.0, "mode": "vector"}, "Mode vector"),
        ({"written_weight": 1.0, "fusion": "rrf"}, "Fusion rrf"),
    ],
)
def test_where_it_cannot_be_added_it_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SearchRequest("dog", **more)


def test_an_index_without_written_words_is_named(client: OpenSearch, index: SearchIndex) -> None:
    (mappings,) = (about["mappings"] for about in client.indices.get_mapping(index=INDEX).values())
    del mappings["properties"]["written"]
    for name in ("captions", "text"):
        del mappings["properties"][name]["copy_to"]
    for about in mappings["properties"]["meta"]["properties"].values():
        about.pop("copy_to", None)
    settings = next(iter(client.indices.get_settings(index=INDEX).values()))["settings"]["index"]
    kept = {"knn": True, "similarity": settings["similarity"], "analysis": settings["analysis"]}
    client.indices.create(index=f"{INDEX}-old", body={"settings": {"index": kept}, "mappings": mappings})
    old = SearchIndex(client, f"{INDEX}-old")
    search_index(old, SearchRequest("dog", mode="words"))
    with pytest.raises(ConfigError, match=r"written-old holds no field of the words that people wrote.*another name"):
        search_index(old, SearchRequest("dog", mode="words", written_weight=1.0))


def test_the_command_the_page_and_python_take_it(
    index: SearchIndex, client: OpenSearch, at_node: str, tmp_path: Path
) -> None:
    options = ("--index", INDEX, "--mode", "words", "--written-weight", "2.5")
    answer = json.loads(lexel("search", "Zermatt", "--json", *options).stdout)
    assert [hit["written"] for hit in answer["hits"]] == [{"zermatt": 2.5}] * 3
    assert "zermatt 2.50" in lexel("search", "Zermatt", *options).stdout
    why = lexel("explain", "0.jpg", "Zermatt", *options).stdout
    assert "zermatt" in why
    assert "written by people" in why
    api: TestClient
    with asking(served(client, INDEX)) as api:
        asked = {"q": "Zermatt", "mode": "words", "written_weight": 2.5}
        hits = api.get("/search", params=asked).json()["hits"]
        assert [hit["written"] for hit in hits] == [{"zermatt": 2.5}] * 3
        assert api.post("/search", data=asked).json()["hits"] == hits
        why = api.get("/explain", params=asked | {"id": "0.jpg"}).json()
        assert why["written"] == {"zermatt": 2.5}
    handle = IndexHandle(index)
    found = handle.search_request(SearchRequest("Zermatt", mode="words", written_weight=2.5))
    assert [dict(hit.written) for hit in found] == [{"zermatt": 2.5}] * 3
    assert handle.explain("0.jpg", "Zermatt", mode="words", written_weight=2.5).written == {"zermatt": 2.5}


def test_curl_matches_it_with_a_plain_match(index: SearchIndex) -> None:
    body = {"query": {"match": {"written": {"query": "Zermatt Oslo the", "boost": 1.5}}}}
    hits = index.client.search(index=INDEX, body=body)["hits"]["hits"]
    assert {hit["_source"]["uri"]: float(np.float32(hit["_score"])) for hit in hits} == {
        **dict.fromkeys(("0.jpg", "1.jpg", "2.jpg", "4.jpg"), 1.5),
        "5.jpg": 3.0,
    }
