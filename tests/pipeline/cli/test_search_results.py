"""How search results stand in a terminal."""

from dataclasses import replace

import pytest
from rich.console import Console

from lexel.pipeline.cli.views import search_results
from lexel.pipeline.cli.views.query_words import banning_nothing, cut_short
from lexel.pipeline.search.results import Hit, SearchResults

WHY = {"kitchen": 2.48, "table": 2.26, "pizza": 1.27}


def printed(monkeypatch: pytest.MonkeyPatch, width: int, result: SearchResults) -> list[str]:
    console = Console(width=width, highlight=False, record=True, quiet=False)
    monkeypatch.setattr(search_results, "out", console)
    search_results.results(result)
    return [line.rstrip() for line in console.export_text().splitlines()]


def of(*uris: str) -> SearchResults:
    hits = tuple(Hit(f"id{i}", 8.7, uri, "/photos", WHY, 6.5, {}) for i, uri in enumerate(uris))
    return SearchResults(hits, total=len(hits), took=3, body={}, weights=dict.fromkeys(WHY, 1.0))


def test_short_items_stand_beside_the_parts_of_their_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, 100, of("a.jpg", "b.jpg"))
    assert lines[0].split() == ["score", "item", "why"]
    assert lines[1].split()[:3] == ["1", "8.70", "/photos/a.jpg"]
    assert lines[1].endswith("kitchen 2.48  table 2.26  pizza 1.27  vector 6.50")


def test_a_long_path_stays_in_one_piece_above_them(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{'x' * 50}.jpg"
    lines = printed(monkeypatch, 80, of(name, "b.jpg"))
    assert any(line.endswith(f"/photos/{name}") for line in lines)
    assert sum(line.strip() == "kitchen 2.48  table 2.26  pizza 1.27  vector 6.50" for line in lines) == 2


def test_why_nothing_matches_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    none = SearchResults((), total=0, took=1, body={}, weights={}, silence="No item has a [word] of it.")
    assert printed(monkeypatch, 40, none) == ["Nothing matches. No item has a [word] of it."]


def test_words_that_exclude_nothing_are_named() -> None:
    said = banning_nothing(["canines"], {"canines": ("dog", "animal")})
    assert said == "excluded nothing, since not in the vocabulary of this index: canines (nearest: dog, animal)"
    assert banning_nothing([], {}) == ""


def test_a_text_too_long_for_the_vector_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(of("a.jpg"), heard=62)
    assert printed(monkeypatch, 100, found)[0] == "too long for the vector, which is of the first 62 words alone"
    assert cut_short(None) == ""
    assert cut_short(0) == "too long for the vector"
