"""`lexel search` and `lexel explain` steered by items."""

import json

import pytest
from support.commands import lexel
from support.drawn import Drawn

from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


@pytest.fixture
def pair(drawn: Drawn) -> tuple[str, str]:
    one, other = search_index(drawn.images, SearchRequest("a dog", mode="words", k=2)).hits
    return one.id, other.id


def test_the_words_gained_and_lost_are_printed(at_node: str, pair: tuple[str, str]) -> None:
    asked = ["search", "a dog", "--like", pair[0], "--unlike", pair[1], "--mode", "words", "--index", "drawn-images"]
    printed = lexel(*asked).stdout
    said = json.loads(lexel(*asked, "--json").stdout)
    gained, lost = (line for line in printed.splitlines() if line.startswith("words "))
    assert gained.startswith("words gained: ")
    assert lost.startswith("words lost, which count nothing")
    assert all(f"{word} {weight:+.2f}" in gained for word, weight in said["gained"].items())
    assert all(f"{word} {weight:+.2f}" in lost for word, weight in said["lost"].items())
    assert "words gained" not in lexel("search", "a dog", "--mode", "words", "--index", "drawn-images").stdout


def test_an_explanation_is_of_the_steered_query(at_node: str, pair: tuple[str, str]) -> None:
    steered = ["--like", pair[0], "--mode", "terms", "--index", "drawn-images", "--json"]
    hit = json.loads(lexel("search", "a dog", *steered).stdout)["hits"][0]
    why = json.loads(lexel("explain", hit["id"], "a dog", *steered).stdout)
    assert why["score"] == pytest.approx(hit["score"], rel=1e-5)
    assert len(why["terms"]) > 1


def test_what_cannot_be_searched_for_is_one_sentence(at_node: str, pair: tuple[str, str]) -> None:
    for asked, said in (
        (["--unlike", pair[0]], "says only what the results should not be like"),
        (["a dog", "--unlike", "nothing"], "There is no item nothing in drawn-images."),
        (["--like", pair[0], "--unlike", pair[0]], "cannot be like"),
    ):
        answer = lexel("search", *asked, "--mode", "words", "--index", "drawn-images")
        assert answer.returncode == 1
        assert said in answer.stderr
