"""Pages, facets, folding and conditions: whatever is shown of a ranking, it is one ranking."""

from dataclasses import replace

import pytest
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn

from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.search.filters import parse_filter
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Cursor, SearchResults
from lexel.pipeline.search.run import search_index

TEXT = "a dog and two people in the snow"


def walked(index: SearchIndex, ask: SearchRequest) -> list[SearchResults]:
    pages = [search_index(index, replace(ask, paged=True))]
    while pages[-1].next:
        pages.append(search_index(index, replace(ask, after=Cursor.parse(str(pages[-1].next)))))
    return pages


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_pages_neither_repeat_nor_skip(drawn: Drawn, mode: Mode, fold: bool) -> None:
    ask = SearchRequest(TEXT, mode=mode, k=7, fold=fold)
    pages = walked(drawn.images, ask)
    ids = [hit.id for page in pages for hit in page.hits]
    assert len(ids) == len(set(ids))
    assert len(pages) > 5
    whole = search_index(drawn.images, replace(ask, k=len(ids), paged=True))
    assert ids == [hit.id for hit in whole.hits]
    scores = [hit.score for page in pages for hit in page.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("mode", MODES)
def test_folding_shows_the_best_of_each_group(drawn: Drawn, mode: Mode) -> None:
    ask = SearchRequest(TEXT, mode=mode, k=COUNT // 2)
    best: dict[str, str] = {}
    for hit in search_index(drawn.images, replace(ask, k=COUNT)).hits:
        best.setdefault(hit.source["near"], hit.id)
    folded = search_index(drawn.images, replace(ask, fold=True)).hits
    assert len({hit.source["near"] for hit in folded}) == len(folded)
    assert {hit.id for hit in folded} <= set(best.values())


@pytest.mark.parametrize("mode", ["terms", "words"])
def test_a_facet_counts_what_its_requirement_leaves(drawn: Drawn, mode: Mode) -> None:
    found = search_index(drawn.images, SearchRequest("dog snow", mode=mode, facets={"top_terms": 12, "meta.time": 5}))
    assert found.total > 20
    assert sum(found.facets["meta.time"].values()) == found.total
    for term, count in found.facets["top_terms"].items():
        assert (
            search_index(
                drawn.images, SearchRequest("dog snow", mode=mode, filters=[parse_filter(f"term={term}")])
            ).total
            == count
        )
    term, count = next(iter(found.facets["top_terms"].items()))
    held = search_index(drawn.images, SearchRequest(f"dog snow +{term}", mode=mode, k=COUNT))
    assert held.total >= count  # the word is also asked for, so that pictures come that had nothing else of the query
    assert all(term in hit.top_terms for hit in held.hits)


@pytest.mark.parametrize("mode", MODES)
def test_requirements_and_bans_in_any_form_of_the_word(drawn: Drawn, mode: Mode) -> None:
    required = search_index(drawn.images, SearchRequest("two +dogs", mode=mode, k=COUNT))
    assert required.hits
    assert all("dog" in hit.top_terms for hit in required.hits)
    banned = search_index(drawn.images, SearchRequest("two people -dogs", mode=mode, k=COUNT))
    assert banned.hits
    assert not any("dog" in hit.top_terms for hit in banned.hits)


@pytest.mark.parametrize("mode", ["terms", "words"])
def test_a_factor_multiplies_a_words_part(drawn: Drawn, mode: Mode) -> None:
    once = {hit.id: hit for hit in search_index(drawn.images, SearchRequest("dog snow", mode=mode, k=COUNT)).hits}
    more = search_index(drawn.images, SearchRequest("dogs^2.5 snow^0.5", mode=mode, k=COUNT)).hits
    assert {hit.id for hit in more} == once.keys()
    for hit in more:
        parts = once[hit.id].parts
        assert hit.score == pytest.approx(2.5 * parts.get("dog", 0) + 0.5 * parts.get("snow", 0), rel=1e-5)
        assert sum(hit.parts.values()) == pytest.approx(hit.score, rel=1e-5)


def test_words_that_no_item_can_have_are_told(drawn: Drawn) -> None:
    for mode in MODES:
        assert search_index(drawn.images, SearchRequest("a dog and a zorblax in snow", mode=mode)).unknown == (
            "zorblax",
        )


def test_the_cut_off_by_share_of_the_best(drawn: Drawn) -> None:
    for mode in MODES:
        found = search_index(drawn.images, SearchRequest(TEXT, mode=mode, k=100))
        near = found.within(0.8)
        assert 0 < len(near.hits) < len(found.hits)
        assert near.hits == tuple(hit for hit in found.hits if hit.score >= 0.8 * found.hits[0].score)
        assert near.next is None


def test_what_is_cut_off_stays_so_on_later_pages(drawn: Drawn) -> None:
    first = search_index(drawn.images, SearchRequest(TEXT, mode="terms", k=5, paged=True))
    cut = first.above(first.hits[-1].score * 0.9)
    assert cut.next is not None
    later = search_index(drawn.images, SearchRequest(TEXT, mode="terms", k=100, after=cut.next))
    assert cut.next.least is not None
    assert all(hit.score >= cut.next.least for hit in later.hits)
    assert later.next is None


def test_like_an_item_and_composed_with_words(drawn: Drawn) -> None:
    one = search_index(drawn.images, SearchRequest("a dog on the beach", mode="terms")).hits[0]
    for mode in ("terms", "vector", "hybrid"):
        assert search_index(drawn.images, SearchRequest(like=(one.id,), mode=mode)).hits[0].id == one.id
    content = one.path.read_bytes()
    by_bytes = search_index(drawn.images, SearchRequest(images=(content,), k=5))
    by_id = search_index(drawn.images, SearchRequest(like=(one.id,), k=5))
    assert [hit.id for hit in by_bytes.hits] == [hit.id for hit in by_id.hits]
    nights = [
        sum(hit.source["meta"]["time"] == "night" for hit in search_index(drawn.images, ask).hits)
        for ask in (SearchRequest(like=(one.id,), k=20), SearchRequest("at night", like=(one.id,), k=20, share=0.8))
    ]
    assert nights[1] > nights[0]


def test_refusals_in_one_sentence(drawn: Drawn, client: OpenSearch) -> None:
    with pytest.raises(ConfigError, match="give words"):
        SearchRequest("-cat")
    with pytest.raises(ConfigError, match="ranks only 200 results"):
        search_index(drawn.images, SearchRequest("dog", k=150, after=Cursor("drawn-images", 100)))
    with pytest.raises(ConfigError, match="neural-search"):
        search_index(drawn.images, SearchRequest("dog", fusion="rrf"))
    with pytest.raises(ConfigError, match="start from the first page"):
        Cursor.parse("nonsense")
    with pytest.raises(ClusterError, match="no item nothing"):
        search_index(drawn.images, SearchRequest(like=("nothing",)))
    with pytest.raises(ClusterError, match="no such index"):
        search_index(drawn.images, SearchRequest("dog", after=Cursor("drawn-images-00000000", 10)))
