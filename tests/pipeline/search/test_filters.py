"""Conditions as people write them, on a real node."""

import pytest
from support.drawn import COUNT, Drawn

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.filters import parse_filter
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


def matching(drawn: Drawn, *conditions: str) -> list[dict[str, object]]:
    filters = [parse_filter(text) for text in conditions]
    ask = SearchRequest("a picture of everything", mode="vector", k=COUNT, filters=filters, cutoff=False)
    return [hit.source for hit in search_index(drawn.images, ask).hits]


def test_each_condition_lets_in_what_it_says(drawn: Drawn) -> None:
    everything = matching(drawn)
    assert len(everything) == COUNT
    for condition, holds in {
        "time=night": lambda s: s["meta"]["time"] == "night",
        "time != night": lambda s: s["meta"]["time"] != "night",
        "meta.time=night|dusk": lambda s: s["meta"]["time"] in {"night", "dusk"},
        "width>=1": lambda s: s["width"] >= 1,
        "width<1": lambda s: s["width"] < 1,
        "height=1..10000": lambda s: 1 <= s["height"] <= 10000,
        "term=dog": lambda s: "dog" in s["top_terms"],
    }.items():
        expected = {source["id"] for source in everything if holds(source)}
        assert {source["id"] for source in matching(drawn, condition)} == expected, condition
    both = matching(drawn, "time=night", "term=dog")
    assert all(source["meta"]["time"] == "night" and "dog" in source["top_terms"] for source in both)  # type: ignore[index,operator]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("tiem=night", "There is no field tiem; those that there are: .*time"),
        ("tiem!=night", "There is no field tiem"),
        ("tiem>=3", "There is no field tiem"),
        ("captions=dog", "There is no field captions"),
        ("time>=dusk", "time holds text, which has no range: write time=VALUE; those that there are: .*width"),
        ("label=a..b", "label holds text"),
        ("width>=wide", "width holds numbers, and 'wide' is none"),
        ("width=1|two", "width holds numbers, and 'two' is none"),
    ],
)
def test_a_condition_that_the_index_cannot_answer_is_one_sentence(drawn: Drawn, condition: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        matching(drawn, condition)
    with pytest.raises(ConfigError, match=said):
        browse(drawn.images, filters=[parse_filter(condition)])


@pytest.mark.parametrize("facet", ["meta.tiem", "meta.captions", "captions", "terms", "vector"])
def test_a_facet_of_nothing_that_can_be_counted_is_one_sentence(drawn: Drawn, facet: str) -> None:
    with pytest.raises(ConfigError, match=r"those that there are: .*time"):
        search_index(drawn.images, SearchRequest("dog", mode="words", facets={facet: 5}))


def test_conditions_that_make_no_sense_are_refused() -> None:
    for text in ("place", "=beach", "place=", "", "place>", "!="):
        with pytest.raises(ConfigError, match="field=value"):
            parse_filter(text)
