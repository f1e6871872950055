"""Searches by items to be like and unlike, on a real node: in every mode, with pages, facets and explanations."""

from dataclasses import replace

import numpy as np
import pytest
from support.drawn import COUNT, Drawn

from lexel.pipeline.errors import ConfigError, NotThereError
from lexel.pipeline.explain.comparison import compare_items
from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.search.feedback.rocchio import GAMMA, MOST_WORDS
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Hit, SearchResults, as_json
from lexel.pipeline.search.run import search_index


def found(drawn: Drawn, ask: SearchRequest) -> SearchResults:
    return search_index(drawn.images, replace(ask, k=COUNT, depth=2 * COUNT, paged=True))


def some(drawn: Drawn, text: str, count: int = 1) -> list[Hit]:
    return list(search_index(drawn.images, SearchRequest(text, mode="terms", k=count)).hits)


def near(drawn: Drawn, hits: list[str], id_: str) -> float:
    """The mean cosine of the first ten with an item."""
    stored = drawn.images.items([id_, *hits[:10]], fields=("vector",))
    own, *others = (np.asarray(one["vector"]) for one in stored)
    return float(np.mean([own @ other for other in others]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["a dog", ""])
def test_results_come_nearer_to_the_liked_and_further_from_the_unliked(drawn: Drawn, mode: Mode, text: str) -> None:
    liked, other = (one.id for one in (some(drawn, "a dog +snow")[0], some(drawn, "a dog +beach")[0]))
    towards = [hit.id for hit in found(drawn, SearchRequest(text, like=(liked,), mode=mode)).hits if hit.id != other]
    away = [hit.id for hit in found(drawn, SearchRequest(text, like=(liked,), unlike=(other,), mode=mode)).hits]
    assert other not in away
    assert near(drawn, towards, liked) > near(drawn, towards, other)
    assert near(drawn, away, other) <= near(drawn, towards, other) + 1e-6
    if text:
        plain = [hit.id for hit in found(drawn, SearchRequest(text, mode=mode)).hits]
        assert near(drawn, towards, liked) > near(drawn, plain, liked)


def test_the_moved_query_is_rocchios(drawn: Drawn) -> None:
    one, other, away = (hit.id for hit in some(drawn, "dog", 3))
    ask = SearchRequest("snow", like=(one, other), unlike=(away,), mode="hybrid")
    steered = found(drawn, ask)
    stored = drawn.images.items([one, other, away], fields=("terms", "top_terms", "vector"))
    tops = [{term: item["terms"][term] for term in item["top_terms"]} for item in stored]
    vectors = np.array([item["vector"] for item in stored])
    query = np.asarray(drawn.images.text_vector("snow")) + vectors[:2].mean(axis=0) - GAMMA * vectors[2]
    query /= np.linalg.norm(query)
    sums = {term: sum(top.get(term, 0.0) for top in tops[:2]) for term in {**tops[0], **tops[1]}}
    size, its = np.linalg.norm(list(sums.values())), np.linalg.norm(list(tops[2].values()))
    by = {term: sums.get(term, 0.0) / size - GAMMA * tops[2].get(term, 0.0) / its for term in {**sums, **tops[2]}}
    best = sorted((term for term, weight in by.items() if weight > 0), key=lambda term: -by[term])[:MOST_WORDS]
    assert steered.gained == pytest.approx({term: by[term] for term in best})
    assert set(steered.lost) <= {term for term, weight in by.items() if weight < 0}
    weights = {"snow": 1.0, **{term: by[term] + (term == "snow") for term in best}}
    b = drawn.images.encoder.vector_weight("text")
    for hit in steered.hits[:10]:
        item = drawn.images.item(hit.id, fields=("terms", "vector"))
        words = sum(weight * item["terms"].get(term, 0.0) for term, weight in weights.items())
        assert hit.score == pytest.approx(words + b * (query @ np.asarray(item["vector"])), rel=1e-4)


@pytest.mark.parametrize("mode", ["terms", "words"])
def test_what_is_gained_can_be_typed(drawn: Drawn, mode: Mode) -> None:
    liked, away = (hit.id for hit in some(drawn, "a dog", 2))
    steered = search_index(drawn.images, SearchRequest("a dog", like=(liked,), unlike=(away,), mode=mode, k=50))
    own = {**steered.gained, "dog": 1 + steered.gained.get("dog", 0.0)}
    typed = " ".join(f"{word}^{weight:.9f}" for word, weight in own.items())
    same = search_index(drawn.images, SearchRequest(f"a {typed}", mode=mode, k=51))
    assert [hit.id for hit in steered.hits] == [hit.id for hit in same.hits if hit.id != away][:50]


@pytest.mark.parametrize("mode", ["terms", "words", "hybrid"])
def test_words_with_a_factor_or_a_sign_stay_as_typed(drawn: Drawn, mode: Mode) -> None:
    liked = some(drawn, "a dog")[0].id
    ask = SearchRequest("a dog", like=(liked,), mode=mode)
    first, second, third = list(search_index(drawn.images, ask).gained)[:3]
    edited = search_index(drawn.images, replace(ask, text=f"a dog {first}^3 {second}^0 -{third}"))
    assert not {first, second, third} & edited.gained.keys()
    assert edited.weights[first] == 3
    assert not edited.weights.get(second)
    assert all(third not in hit.top_terms for hit in edited.hits)


def test_a_word_of_factor_0_says_nothing_in_the_vector_either(drawn: Drawn) -> None:
    liked = some(drawn, "a dog")[0].id
    plain, with_0 = (found(drawn, SearchRequest(text, like=(liked,), mode="vector")) for text in ("", "snow^0"))
    assert [(hit.id, hit.score) for hit in plain.hits] == [(hit.id, hit.score) for hit in with_0.hits]
    one, other = (found(drawn, SearchRequest(text, mode="vector")) for text in ("dog", "dog snow^0"))
    assert [hit.id for hit in one.hits] == [hit.id for hit in other.hits]


def test_an_image_asks_captions_by_more_words_than_images(drawn: Drawn) -> None:
    content = (drawn.folder / "images/000007.jpg").read_bytes()
    of_images, of_captions = (
        search_index(index, SearchRequest(images=(content,), mode="terms")) for index in (drawn.images, drawn.captions)
    )
    assert 0 < len(of_images.weights) <= MOST_WORDS < len(of_captions.weights)


@pytest.mark.parametrize("mode", MODES)
def test_pages_facets_and_explanations_are_of_the_moved_query(drawn: Drawn, mode: Mode) -> None:
    liked, away = (hit.id for hit in some(drawn, "a dog", 2))
    ask = SearchRequest("a dog", like=(liked,), unlike=(away,), mode=mode, k=7, paged=True, facets={"meta.time": 9})
    whole = [hit.id for hit in search_index(drawn.images, replace(ask, k=21)).hits]
    pages, after = list[str](), None
    for _ in range(3):
        page = search_index(drawn.images, replace(ask, after=after))
        pages, after = pages + [hit.id for hit in page.hits], page.next
        assert sum(page.facets["meta.time"].values()) == page.total
    assert pages == whole
    for hit in search_index(drawn.images, ask).hits:
        why = explain_item(drawn.images, hit.id, ask)
        assert why.matches
        assert why.score == pytest.approx(hit.score, rel=1e-5)
        assert {part.term: pytest.approx(part.share) for part in why.parts} == hit.parts
    assert not explain_item(drawn.images, away, ask).matches
    compared = compare_items(drawn.images, ask, pages[5], pages[0])
    assert compared.above.id == pages[0]


def test_the_answer_says_what_was_gained_and_lost(drawn: Drawn) -> None:
    liked, away = some(drawn, "a dog +snow")[0], some(drawn, "a dog +beach")[0]
    said = as_json(search_index(drawn.images, SearchRequest("a dog", like=(liked.id,), unlike=(away.id,))))
    assert set(said["gained"]) <= set(liked.top_terms)
    assert set(said["lost"]) <= set(away.top_terms) - set(liked.top_terms) - {"dog"}
    assert list(said["gained"].values()) == sorted(said["gained"].values(), reverse=True)
    plain = as_json(search_index(drawn.images, SearchRequest("a dog")))
    assert (plain["gained"], plain["lost"]) == ({}, {})


def test_captions_steer_captions(drawn: Drawn) -> None:
    one = search_index(drawn.captions, SearchRequest("a dog", k=1)).hits[0]
    like = search_index(drawn.captions, SearchRequest("snow", like=(one.id,), k=5))
    assert set(like.gained) <= set(one.top_terms)
    assert search_index(drawn.captions, SearchRequest("snow", unlike=(one.id,), k=5)).hits


def test_refusals_in_one_sentence(drawn: Drawn) -> None:
    one = some(drawn, "a dog")[0].id
    with pytest.raises(ConfigError, match="says only what the results should not be like"):
        SearchRequest(unlike=(one,))
    with pytest.raises(ConfigError, match="says only what the results should not be like"):
        SearchRequest("-cat", unlike=(one,))
    with pytest.raises(ConfigError, match="cannot be like"):
        SearchRequest(like=(one,), unlike=(one,))
    for ask in (SearchRequest("dog", unlike=("nothing",)), SearchRequest(like=(one, "nothing"), mode="words")):
        with pytest.raises(NotThereError, match="no item nothing in drawn-images"):
            search_index(drawn.images, ask)


def test_an_item_is_named_by_its_id_its_uri_or_its_path(drawn: Drawn) -> None:
    hit = some(drawn, "dog", 1)[0]
    assert hit.id != hit.uri
    wanted = [one.id for one in found(drawn, SearchRequest("snow", like=(hit.id,))).hits]
    for ref in (hit.uri, str(hit.path)):
        assert [one.id for one in found(drawn, SearchRequest("snow", like=(ref,))).hits] == wanted
        assert hit.id not in [one.id for one in found(drawn, SearchRequest("dog", unlike=(ref,))).hits]
        with pytest.raises(ConfigError, match="leave one out"):
            found(drawn, SearchRequest("snow", like=(ref,), unlike=(hit.id,)))
