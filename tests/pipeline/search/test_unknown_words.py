"""Words that the collection does not know, asked by the nearest or said to be unknown; and neighbours that are none."""

from dataclasses import replace

import numpy as np
import pytest
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn

from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import as_json, counted
from lexel.pipeline.search.run import search_index

UNKNOWN = "xylophone quartz"


@pytest.mark.parametrize("mode", ["terms", "words", "hybrid"])
def test_a_word_without_a_term_is_asked_by_the_nearest(drawn: Drawn, mode: Mode) -> None:
    weight = drawn.images.encoder.near_words.asked("canines")["dog"]
    found = search_index(drawn.images, SearchRequest("Canines in the snow", mode=mode, k=COUNT))
    assert found.near == {"canines": {"dog": weight}}
    assert found.unknown == ()
    assert as_json(found)["near"] == {"canines": {"dog": weight}}
    dogs = [hit for hit in found.hits if "dog" in hit.parts]
    assert dogs
    for hit in dogs:
        assert hit.parts["dog"] == pytest.approx(weight * hit.source["terms"]["dog"])
    why = explain_item(drawn.images, dogs[0].id, SearchRequest("Canines in the snow", mode=mode))
    assert why.near == found.near
    assert why.score == pytest.approx(dogs[0].score, rel=2e-6, abs=1e-5)


@pytest.mark.parametrize("text", ["canines snow", "canines^2 snow canines", "a dog and canines", "canines"])
def test_words_and_terms_agree_to_the_last_bit(drawn: Drawn, text: str) -> None:
    both = [search_index(drawn.images, SearchRequest(text, mode=mode, k=COUNT)) for mode in ("terms", "words")]
    scores = [{hit.id: hit.engine_score for hit in found.hits} for found in both]
    assert scores[0] == scores[1] != {}
    assert both[0].near == both[1].near != {}
    assert both[0].total == both[1].total


def test_the_cluster_asks_by_it_too_as_if_it_had_been_typed(drawn: Drawn, client: OpenSearch) -> None:
    def scores(query: object) -> dict[str, float]:
        body = {"size": COUNT, "query": query, "_source": False}
        return {hit["_id"]: hit["_score"] for hit in client.search(index=drawn.images.name, body=body)["hits"]["hits"]}

    dogs = scores({"match": {"words": "a dog in the snow"}})
    assert dogs
    assert scores({"match": {"words": "canines in the snow"}}) == dogs
    assert scores({"query_string": {"query": "words:(canines OR snow)"}}) == dogs
    # A condition means the word itself.
    assert scores({"match": {"top_terms.words": "canines"}}) == {}
    assert scores({"match": {"words": UNKNOWN}}) == {}


def test_known_words_are_asked_as_ever(drawn: Drawn) -> None:
    known = SearchRequest("dogs^2 +snow", mode="words")
    body = search_index(drawn.images, known).body
    expected = query_dsl.words(known.query.plain, factors=known.query.factors, filters=known.conditions())
    assert body == expected


def test_words_find_the_nearest_without_an_encoder(drawn: Drawn, client: OpenSearch) -> None:
    index = SearchIndex(client, "drawn-images")
    assert index.place  # has looked at the index, and looks again in a while
    index.__dict__["about"] = {**drawn.images.about, "encoder": "/nowhere/at-all", "name": "gone"}
    found = search_index(index, SearchRequest("canines zorblax", mode="words"))
    assert found.hits
    assert found.near["canines"].keys() == {"dog"}
    assert (found.unknown, found.offers) == (("zorblax",), {})


def test_an_index_of_an_older_lexel_asks_by_none(drawn: Drawn, client: OpenSearch) -> None:
    index = SearchIndex(client, "drawn-images")
    mappings = dict(index._mappings)
    for name, about in mappings.items():
        words = {**about["properties"]["words"], "search_analyzer": "vocabulary"}
        mappings[name] = {**about, "properties": {**about["properties"], "words": words}}
    index._known = mappings
    assert search_index(index, SearchRequest("canines snow", mode="words")).unknown == ("canines",)


def test_where_no_word_is_known_that_is_said(drawn: Drawn) -> None:
    found = search_index(drawn.images, SearchRequest(UNKNOWN, k=COUNT))
    assert found.by_vector_alone
    assert found.unknown == ("xylophone", "quartz")
    assert set(found.offers) == {"quartz"}
    assert set(found.offers["quartz"]) <= set(drawn.images.encoder.vocabulary.terms)
    assert as_json(found)["by_vector_alone"]
    assert not search_index(drawn.images, SearchRequest("a dog xylophone")).by_vector_alone
    for mode in ("terms", "words"):
        nothing = search_index(drawn.images, SearchRequest(UNKNOWN, mode=mode))  # type: ignore[arg-type]
        assert (nothing.total, nothing.hits, nothing.unknown) == (0, (), found.unknown)


@pytest.mark.parametrize(
    ("text", "mode"),
    [("a dog in the snow", "hybrid"), ("sunset", "hybrid"), (UNKNOWN, "hybrid"), (UNKNOWN, "vector")],
)
def test_what_matches_shares_a_word_or_is_near_enough(drawn: Drawn, text: str, mode: Mode) -> None:
    """Counted by hand over the whole collection, of which the 100 nearest vectors are looked at."""
    index, least = drawn.images, drawn.images.encoder.least_cosine("text")
    assert least is not None
    request = SearchRequest(text, mode=mode, k=100)
    whole = search_index(index, replace(request, mode="vector", k=COUNT, cutoff=False))
    assert len(whole.hits) == COUNT
    near = {hit.id for hit in whole.hits[:100] if hit.vector_part >= least}
    words = (
        set()
        if mode == "vector"
        else {hit.id for hit in search_index(index, replace(request, mode="terms", k=COUNT)).hits}
    )
    found = search_index(index, request)
    assert found.total == len(near | words)
    assert {hit.id for hit in found.hits} <= near | words
    assert all(hit.parts or hit.score >= least for hit in found.hits)
    assert search_index(index, replace(request, cutoff=False)).total >= max(100, found.total)


def test_pages_facets_and_folding_go_with_the_cut_off(drawn: Drawn) -> None:
    request = SearchRequest("sunset zorblax", k=7, paged=True, facets={"meta.time": 9})
    first = search_index(drawn.images, request)
    assert sum(first.facets["meta.time"].values()) == first.total
    seen, page = [hit.id for hit in first.hits], first
    while page.next:
        page = search_index(drawn.images, replace(request, after=page.next))
        seen += [hit.id for hit in page.hits]
    assert len(seen) == len(set(seen)) == first.total
    folded = search_index(drawn.images, replace(request, paged=False, facets={}, fold=True, k=COUNT))
    assert {hit.id for hit in folded.hits} <= set(seen)


def test_only_what_is_calibrated_is_cut_off(drawn: Drawn) -> None:
    """Texts that ask for pictures, and pictures that ask for texts; two pictures are near in another way."""
    picture = (drawn.folder / "images/000003.jpg").read_bytes()
    for request, cut in (
        (SearchRequest("dog"), [True, False]),
        (SearchRequest(images=(picture,)), [False, True]),
        (SearchRequest("dog", images=(picture,)), [False, False]),
    ):
        bodies = [search_index(index, request).body for index in (drawn.images, drawn.captions)]
        assert ["min_score" in str(body) for body in bodies] == cut


def test_who_asks_for_the_vectors_ranking_of_known_words_gets_it_whole(drawn: Drawn) -> None:
    found = search_index(drawn.images, SearchRequest("a dog", mode="vector", k=COUNT))
    assert len(found.hits) == found.total == COUNT
    assert counted(found) == f"the {COUNT} nearest"
    far = search_index(drawn.images, SearchRequest(UNKNOWN, mode="vector", k=COUNT, cutoff=False))
    assert counted(far) == f"0 match, {COUNT} look alike"


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_added_to_a_request_without_a_cut_off(drawn: Drawn, mode: Mode) -> None:
    body = search_index(drawn.images, SearchRequest("a dog", mode=mode, cutoff=False)).body
    assert "min_score" not in str(body)
    assert not np.isnan(search_index(drawn.images, SearchRequest("a dog", mode=mode)).hits[0].score)
