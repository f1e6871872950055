"""Pages while documents change in place: those after the first are of the state that the first one saw."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn
from support.indices import Names, contents

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search import snapshots
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Cursor, SearchResults
from lexel.pipeline.search.run import search_index
from lexel.pipeline.search.snapshots import Snapshots

TEXT = "a dog and two people in the snow"
Page = Callable[[Cursor | None], SearchResults]


@pytest.fixture
def live(client: OpenSearch, drawn: Drawn, index_name: Names) -> SearchIndex:
    """An index of the drawn pictures that a test may change."""
    name = index_name("live")
    load_shards(drawn.folder / "drawn-images", index=name, client=client)
    return SearchIndex(client, name)


def change(index: SearchIndex, ids: list[str]) -> None:
    """Delete every third of these items, give the others what the last ones hold, and add a copy of each."""
    there = contents(index.client, index.name)
    lines: list[dict[str, Any]] = []
    for place, id_ in enumerate(ids):
        if place % 3 == 0:
            lines.append({"delete": {"_index": index.name, "_id": id_}})
        else:
            other = there[ids[-1 - place]] | {"id": id_, "near": id_}
            lines += [{"index": {"_index": index.name, "_id": id_}}, other]
        added = f"new{place}"
        lines += [{"index": {"_index": index.name, "_id": added}}, there[id_] | {"id": added, "near": added}]
    answer = index.client.bulk(body=lines, params={"refresh": "true"})
    assert not answer["errors"]


def walked(page: Page, *, meanwhile: Callable[[SearchResults], None] = lambda _: None) -> list[str]:
    """The ids on all pages; `meanwhile` is called with the first, before the second is asked for."""
    found = page(None)
    ids = [hit.id for hit in found.hits]
    meanwhile(found)
    while found.next:
        found = page(Cursor.parse(str(found.next)))
        ids += [hit.id for hit in found.hits]
    return ids


def asking(index: SearchIndex, mode: Mode, *, fold: bool) -> Page:
    ask = SearchRequest(TEXT, mode=mode, k=20, fold=fold, paged=True)
    return lambda after: search_index(index, replace(ask, after=after))


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_pages_are_those_of_the_first_ones_state(live: SearchIndex, mode: Mode, fold: bool) -> None:
    before = walked(asking(live, mode, fold=fold))
    assert len(before) == len(set(before)) > 60
    assert walked(asking(live, mode, fold=fold), meanwhile=lambda _: change(live, before)) == before
    after = walked(asking(SearchIndex(live.client, live.name), mode, fold=fold))
    assert after != before
    assert any(id_.startswith("new") for id_ in after)


def test_a_listing_is_that_of_its_first_page(live: SearchIndex) -> None:
    def page(after: Cursor | None) -> SearchResults:
        return browse(live, k=30, after=after)

    before = walked(page)
    assert len(before) == COUNT
    assert walked(page, meanwhile=lambda _: change(live, before)) == before


def test_a_cursor_is_good_in_another_process(live: SearchIndex) -> None:
    first = search_index(live, SearchRequest("dog", mode="words", k=5, paged=True))
    change(live, [hit.id for hit in first.hits])
    other = SearchIndex(live.client, live.name)
    assert first.next
    later = search_index(other, SearchRequest("dog", mode="words", k=5, after=Cursor.parse(str(first.next))))
    assert not {hit.id for hit in later.hits} & {hit.id for hit in first.hits}
    assert not any(hit.id.startswith("new") for hit in later.hits)


@pytest.fixture
def opened(client: OpenSearch) -> Iterator[Callable[[], int]]:
    """Counts the snapshots that are open at the node, from none on."""
    client.delete_all_pits()
    yield lambda: len(client.get_all_pits()["pits"])
    client.delete_all_pits()


@pytest.fixture
def timed(live: SearchIndex) -> list[float]:
    """The time by the clock of the index's snapshots, to be set."""
    now = [0.0]
    live.snapshots = Snapshots(live.client, live.name, clock=lambda: now[0])
    return now


def touch(index: SearchIndex) -> None:
    """Change an item."""
    (hit,) = index.client.search(index=index.name, body={"size": 1, "sort": ["id"]})["hits"]["hits"]
    index.client.index(index=index.name, id=hit["_id"], body=hit["_source"], params={"refresh": "true"})


def test_results_that_are_not_paged_open_no_snapshot(live: SearchIndex, opened: Callable[[], int]) -> None:
    for fold in (False, True):
        assert search_index(live, SearchRequest(TEXT, k=5, fold=fold)).hits
    assert opened() == 0


def test_many_first_pages_share_a_snapshot_until_the_index_changes(
    live: SearchIndex, opened: Callable[[], int], timed: list[float]
) -> None:
    first = live.snapshots.current()
    for timed[0] in range(0, 3600, 7):
        assert live.snapshots.current() == first
    touch(live)
    assert live.snapshots.current() == first  # looked at less than five seconds ago
    timed[0] += 5
    assert live.snapshots.current() != first
    assert opened() == 2


def test_an_index_that_changes_all_the_time_has_few_open(live: SearchIndex, timed: list[float]) -> None:
    kept = []
    for timed[0] in range(0, 1200, 20):
        touch(live)
        kept.append(live.snapshots.current())
    assert len(set(kept)) >= 20
    assert sum(map(live.snapshots.has, set(kept))) <= snapshots._MOST
    assert all(map(live.snapshots.has, kept[-30:]))  # of the last ten minutes


def test_one_that_nobody_used_for_long_is_given_up(live: SearchIndex, timed: list[float]) -> None:
    first = live.snapshots.current()
    timed[0] = 601
    assert live.snapshots.current() != first
    assert not live.snapshots.has(first)


@pytest.mark.parametrize("mode", ["words", "hybrid"])
def test_pages_go_on_where_the_snapshot_is_closed(live: SearchIndex, opened: Callable[[], int], mode: Mode) -> None:
    page = asking(live, mode, fold=True)
    before = walked(page)
    assert walked(page, meanwhile=lambda _: live.client.delete_all_pits()) == before
    assert opened() == 0
    assert walked(page) == before  # the first page opens a new one
    assert opened() == 1


def test_pages_go_on_where_none_can_be_opened(live: SearchIndex, opened: Callable[[], int]) -> None:
    limit = "search.max_open_pit_context"
    live.client.cluster.put_settings(body={"transient": {limit: 0}})
    try:
        ids = walked(asking(live, "hybrid", fold=True))
        assert len(ids) == len(set(ids)) > 60
        assert opened() == 0
    finally:
        live.client.cluster.put_settings(body={"transient": {limit: None}})


def test_an_item_that_is_deleted_while_it_is_ranked_is_left_out(
    live: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, ask = live.client.search, SearchRequest(TEXT, k=5, fold=True)
    gone = search_index(live, ask).hits[0].id

    def overtaken(**about: Any) -> Any:
        answer = search(**about)
        live.client.delete(index=live.name, id=gone, ignore=404, params={"refresh": "true"})
        return answer

    monkeypatch.setattr(live.client, "search", overtaken)
    assert gone not in [hit.id for hit in search_index(live, ask).hits]


def test_a_collection_that_is_loaded_again_ends_the_pages(live: SearchIndex, drawn: Drawn) -> None:
    first = search_index(live, SearchRequest("dog", mode="words", k=2, paged=True))
    load_shards(drawn.folder / "drawn-captions", index=live.name, client=live.client)
    with pytest.raises(ClusterError, match="no such index"):
        search_index(live, SearchRequest("dog", mode="words", k=2, after=first.next))


def test_a_new_column_can_be_asked_for_and_the_encoder_stays(
    live: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = live.encoder
    monkeypatch.setattr("lexel.pipeline.search.index._SECONDS", 0.0)
    column = {"properties": {"meta": {"properties": {"shelf": {"type": "keyword"}}}}}
    live.client.indices.put_mapping(index=live.name, body=column)
    assert search_index(live, SearchRequest("dog", mode="words", facets={"meta.shelf": 5})).facets == {"meta.shelf": {}}
    assert live.encoder is encoder
