"""The query syntax: signs, factors, and all that is neither."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexel.pipeline.search import request
from lexel.pipeline.search.query_syntax import ParsedQuery, format_query, parse_query

# What the page's own reader, in JavaScript, is held to as well (tests/pipeline/serve/test_page.py).
CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("query_syntax_cases.json").read_text("utf-8"))


def parsed(tokens: list[dict[str, Any]]) -> ParsedQuery:
    """What a query of these tokens, each a word with its sign and factor, should be read as."""
    kept = [token for token in tokens if token["sign"] != "-"]
    return ParsedQuery(
        text=" ".join(token["word"] for token in kept),
        plain=" ".join(token["word"] for token in kept if token["factor"] is None),
        factors={token["word"]: token["factor"] for token in kept if token["factor"] is not None},
        required=tuple(token["word"] for token in kept if token["sign"] == "+"),
        banned=tuple(token["word"] for token in tokens if token["sign"] == "-"),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["typed"] for case in CASES])
def test_queries_are_read_as_written_down(case: dict[str, Any]) -> None:
    assert parse_query(case["typed"]) == parsed(case["tokens"])


def test_the_parts_of_a_query() -> None:
    assert parse_query("dog^2 +snow -cat") == ParsedQuery("dog snow", "snow", {"dog": 2.0}, ("snow",), ("cat",))


def test_a_request_parses_its_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(source: str) -> ParsedQuery:
        read.append(source)
        return parse_query(source)

    monkeypatch.setattr(request, "parse_query", counted)
    first = request.SearchRequest("dog +snow -cat")
    again = replace(first, k=3, filters=[{"term": {"label": "dog"}}])
    assert read == ["dog +snow -cat"]
    assert again.query is first.query
    assert replace(first, text="cat").query.text == "cat"
    assert len(again.conditions()) == 3


@given(st.text(max_size=40))
def test_anything_can_be_typed_and_what_is_written_reads_the_same(typed: str) -> None:
    line = parse_query(typed)
    again = parse_query(format_query(line))
    assert (again.text, dict(again.factors), again.banned) == (line.text, dict(line.factors), line.banned)
    assert set(again.required) == set(line.required)
