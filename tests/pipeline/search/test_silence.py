"""Where nothing matches, or a word counts for nothing, the answer says why."""

import pytest
from support.drawn import COUNT, Drawn

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.filters import parse_filter, requires
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import as_json, counted
from lexel.pipeline.search.run import search_index


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["dog^0", "dog^0 snow^0.0", "+dog^0 -snow"])
def test_a_query_of_nothing_but_factors_of_0_is_refused(text: str, mode: Mode) -> None:
    with pytest.raises(ConfigError, match="Every word of the query has the factor 0"):
        SearchRequest(text, mode=mode)
    SearchRequest(text, mode=mode, like=("one",))


def test_a_factor_beside_which_nothing_else_would_count_is_refused() -> None:
    assert SearchRequest("dog^1000 snow").query.factors == {"dog": 1000.0}
    for factor in ("1000.5", "9" * 40, "9" * 400):
        with pytest.raises(ConfigError, match=r"A word's factor is at most 1,000, and dog has (1,000.5|1e|inf)"):
            SearchRequest(f"dog^{factor} snow")


def test_a_word_that_stands_there_without_its_factor_too_is_said() -> None:
    assert SearchRequest("dog dog^0").query.said == "dog dog"
    assert SearchRequest("a dog^0 in snow^2").query.said == "a in snow"


@pytest.mark.parametrize("text", ["a", "the of", "\N{DOG FACE}", "!?", "it's"])
@pytest.mark.parametrize("mode", MODES)
def test_a_query_without_a_word_is_answered_by_the_vector_or_said_to_have_none(
    drawn: Drawn, text: str, mode: Mode
) -> None:
    found = search_index(drawn.images, SearchRequest(text, mode=mode, k=COUNT))
    assert found.unknown == ()
    assert found.by_vector_alone == (mode in {"vector", "hybrid"})
    if not found.hits:
        assert found.silence.startswith("It has no word to search by")
    if found.by_vector_alone:
        least = drawn.images.encoder.least_cosine("text") or 0.0
        weight = 1.0 if mode == "vector" else drawn.images.encoder.vector_weight("text")
        assert all(hit.score >= least * weight - 1e-4 for hit in found.hits)
        whole = search_index(drawn.images, SearchRequest(text, mode=mode, cutoff=False))
        assert whole.hits
        assert whole.by_vector_alone
        assert whole.silence == ""
        assert counted(whole).startswith("0 match, ")


@pytest.mark.parametrize("mode", MODES)
def test_a_required_word_without_a_term_is_the_nearest_one(drawn: Drawn, mode: Mode) -> None:
    found = search_index(drawn.images, SearchRequest("+Canines", mode=mode, k=COUNT))
    dogs = {one.id for one in browse(drawn.images, k=COUNT, filters=[requires("dog")]).hits}
    assert {hit.id for hit in found.hits} == dogs != set()
    why = explain_item(drawn.images, found.hits[0].id, SearchRequest("+Canines", mode=mode))
    assert why.matches


@pytest.mark.parametrize("mode", MODES)
def test_a_required_word_that_nothing_is_near_to_is_named(drawn: Drawn, mode: Mode) -> None:
    found = search_index(drawn.images, SearchRequest("dog +zorblax", mode=mode))
    assert found.hits == ()
    assert found.silence == "No item can have +zorblax, which is no word of this index."
    assert as_json(found)["silence"] == found.silence


@pytest.mark.parametrize("mode", MODES)
def test_a_required_word_that_no_item_has_among_its_first_is_named(drawn: Drawn, mode: Mode) -> None:
    index = drawn.images
    never = next(
        term for term in reversed(index.encoder.vocabulary.terms) if not browse(index, filters=[requires(term)]).hits
    )
    found = search_index(index, SearchRequest(f"dog +{never}", mode=mode))
    assert found.hits == ()
    assert found.silence.startswith(f"No item has +{never} among its first 16 words; without the +")


@pytest.mark.parametrize("mode", MODES)
def test_a_banned_word_without_a_term_is_said_to_exclude_nothing(drawn: Drawn, mode: Mode) -> None:
    found = search_index(drawn.images, SearchRequest("dog -canines -zorblax -snow", mode=mode, k=COUNT))
    assert set(found.unbanned) == {"canines", "zorblax"}
    assert found.offers["canines"]
    assert found.hits
    assert as_json(found)["unbanned"] == list(found.unbanned)
    assert search_index(drawn.images, SearchRequest("dog -snow", mode=mode)).unbanned == ()


@pytest.mark.parametrize("mode", MODES)
def test_conditions_that_nothing_meets_are_named(drawn: Drawn, mode: Mode) -> None:
    nowhere = [parse_filter("uri=nowhere")]
    found = search_index(drawn.images, SearchRequest("dog", mode=mode, filters=nowhere))
    assert found.hits == ()
    assert found.silence.startswith("No item ")
    assert "meets the conditions" in found.silence
    assert browse(drawn.images, filters=nowhere).silence == "No item meets the conditions."


def test_pictures_are_counted_by_what_they_share(drawn: Drawn) -> None:
    some = browse(drawn.images, k=1).hits[0].id
    for request, says in (
        (SearchRequest(like=(some,)), "share a word or look alike"),
        (SearchRequest(like=(some,), mode="vector"), "nearest"),
        (SearchRequest("dog", like=(some,)), "match"),
    ):
        assert counted(search_index(drawn.images, request)).endswith(says)


def test_an_explanation_offers_known_words(drawn: Drawn) -> None:
    some = search_index(drawn.images, SearchRequest("dog")).hits[0].id
    why = explain_item(drawn.images, some, SearchRequest("dog quartz -canines"))
    assert (why.unknown, why.unbanned) == (("quartz",), ("canines",))
    assert set(why.offers["quartz"]) <= set(drawn.images.encoder.vocabulary.terms)


def test_what_is_asked_already_is_not_offered(drawn: Drawn) -> None:
    alone = search_index(drawn.images, SearchRequest("-canines snow")).offers["canines"]
    beside = search_index(drawn.images, SearchRequest("-canines dog snow")).offers["canines"]
    assert alone[0] == "dog"
    assert beside == alone[1:]


@pytest.mark.parametrize("mode", MODES)
def test_how_much_of_a_long_text_the_vector_is_of_is_said(drawn: Drawn, mode: Mode) -> None:
    long = "a dog in the snow " * 12
    found, short = (search_index(drawn.images, SearchRequest(text, mode=mode)) for text in (long, "a dog"))
    assert short.heard is None
    assert as_json(found)["heard"] == found.heard
    if mode in {"terms", "words"}:
        assert found.heard is None
    else:
        assert found.heard is not None
        assert 5 < found.heard < 60
        first = " ".join(long.split()[: found.heard])
        assert drawn.images.text_vector(first) == pytest.approx(drawn.images.text_vector(long), abs=1e-5)
