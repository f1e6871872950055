"""Explanations: from what is stored, and equal to the score that the engine gives."""

from dataclasses import replace

import numpy as np
import pytest
from support.drawn import COUNT, Drawn

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.explain import comparison
from lexel.pipeline.explain import score_parts as explanations
from lexel.pipeline.explain.comparison import compare_items
from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index

TEXT = "a dog^1.5 and two people in the snow"


@pytest.mark.parametrize("mode", MODES)
def test_the_score_is_that_of_the_search(drawn: Drawn, mode: Mode) -> None:
    ask = SearchRequest(TEXT, mode=mode, k=COUNT, depth=2 * COUNT, cutoff=False)
    for hit in search_index(drawn.images, ask).hits[::17]:
        found = explain_item(drawn.images, hit.id, ask)
        assert found.matches
        assert found.score == pytest.approx(hit.score, rel=2e-6, abs=1e-5)
        assert found.engine_score == pytest.approx(hit.engine_score, rel=2e-6)
        assert {part.term: pytest.approx(part.share) for part in found.parts} == hit.parts
        dense = found.vector_part or 0.0
        assert sum(part.share for part in found.parts) + dense == pytest.approx(found.score, rel=1e-6)
        assert (found.vector_part is None) == (found.typical is None) == (mode in {"terms", "words"})


def test_nothing_in_common_scores_about_nothing(drawn: Drawn) -> None:
    """The engine's constant is in no score, and what is typical of the collection is the mean of its items."""
    for mode, weight in (("hybrid", 7.0), ("vector", 1.0)):
        ask = SearchRequest("a dog in the snow", mode=mode, weight=7.0, k=COUNT, depth=2 * COUNT, cutoff=False)  # type: ignore[arg-type]
        found = search_index(drawn.images, ask)
        assert len(found.hits) == COUNT
        vector = drawn.images.text_vector("a dog in the snow")
        for hit in found.hits[::29]:
            cosine = float(np.dot(vector, drawn.images.item(hit.id, fields=("vector",))["vector"]))
            assert hit.vector_part == pytest.approx(weight * cosine, abs=1e-4)
        assert found.typical == pytest.approx(np.mean([hit.vector_part for hit in found.hits]), abs=weight * 1e-3)


def test_the_score_of_pictures_and_of_likeness(drawn: Drawn) -> None:
    content = (drawn.folder / "images/000003.jpg").read_bytes()
    for ask in (
        SearchRequest("snow", images=(content,)),
        SearchRequest(like=(search_index(drawn.images, "dog").hits[3].id,), mode="terms"),
    ):
        hit = search_index(drawn.images, ask).hits[1]
        assert explain_item(drawn.images, hit.uri, ask).score == pytest.approx(hit.score, rel=2e-6, abs=1e-5)


def test_what_is_missing_and_what_keeps_it_out(drawn: Drawn) -> None:
    hit = search_index(drawn.images, SearchRequest("dog", mode="terms")).hits[0]
    absent = next(t for t in drawn.images.encoder.vocabulary.terms if t not in hit.source["terms"])
    found = explain_item(drawn.images, hit.id, SearchRequest(f"dog {absent} zorblax", mode="terms"))
    assert set(found.missing) == {absent}
    assert found.unknown == ("zorblax",)
    assert found.matches
    assert not explain_item(drawn.images, hit.id, SearchRequest("dog -dog^2 dogs", mode="terms")).matches
    assert not explain_item(drawn.images, hit.id, SearchRequest(f"dog +{absent}", mode="terms")).matches
    assert explanations.as_json(found)["missing"] == {absent: 1.0}


def test_an_item_that_is_not_there(drawn: Drawn) -> None:
    with pytest.raises(ClusterError, match="no item nowhere"):
        explain_item(drawn.images, "nowhere", SearchRequest("dog"))


@pytest.mark.parametrize("mode", ["terms", "words", "hybrid"])
def test_the_difference_of_two_scores_and_what_swaps_them(drawn: Drawn, mode: Mode) -> None:
    ask = SearchRequest("a dog and two people in the snow", mode=mode, k=60, weight=2.0)
    hits = search_index(drawn.images, ask).hits
    swapped = 0
    for low in (3, 9, 21, 40):
        found = compare_items(drawn.images, ask, hits[low].uri, hits[0].id)
        assert found.above.id == hits[0].id
        gap = sum(one.share for one in found.terms) + found.vector
        assert gap == pytest.approx(hits[0].score - hits[low].score, abs=1e-4)
        assert comparison.as_json(found)["below"]["id"] == hits[low].id
        if found.swap:
            swapped += 1
            only = {"ids": {"values": [hits[0].id, hits[low].id]}}
            order = search_index(drawn.images, replace(ask, text=found.swap, filters=[only])).hits
            assert order[0].id == hits[low].id
    assert swapped >= 3


def test_no_change_is_offered_that_a_query_may_not_have(drawn: Drawn) -> None:
    ask = SearchRequest("dog^900 snow^900 beach^900", mode="terms", k=12)
    hits = search_index(drawn.images, ask).hits
    for other in hits[1:]:
        compare_items(drawn.images, ask, other.id, hits[0].id)
