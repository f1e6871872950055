"""What people type: signs, factors, and all that is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexel.pipeline.search.query_syntax import ParsedQuery, format_query, parse_query


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("two dogs", ParsedQuery("two dogs", "two dogs", {}, (), ())),
        ("dog^2 +snow -cat", ParsedQuery("dog snow", "snow", {"dog": 2.0}, ("snow",), ("cat",))),
        ("+dog^.5", ParsedQuery("dog", "", {"dog": 0.5}, ("dog",), ())),
        ("a t-shirt - or -- not", ParsedQuery("a t-shirt - or -- not", "a t-shirt - or -- not", {}, (), ())),
        ("-Cats^3", ParsedQuery("", "", {}, (), ("Cats",))),
        ("dog^ ^2", ParsedQuery("dog^ ^2", "dog^ ^2", {}, (), ())),
        ("", ParsedQuery("", "", {}, (), ())),
    ],
)
def test_lines(typed: str, line: ParsedQuery) -> None:
    assert parse_query(typed) == line


@given(st.text(max_size=40))
def test_anything_can_be_typed_and_what_is_written_reads_the_same(typed: str) -> None:
    line = parse_query(typed)
    again = parse_query(format_query(line))
    assert (again.text, dict(again.factors), again.banned) == (line.text, dict(line.factors), line.banned)
    assert set(again.required) == set(line.required)
