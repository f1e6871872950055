"""What people type: signs, factors, and all that is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexel.pipeline.search.query_syntax import Line, parse_line, written


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("two dogs", Line("two dogs", "two dogs", {}, (), ())),
        ("dog^2 +snow -cat", Line("dog snow", "snow", {"dog": 2.0}, ("snow",), ("cat",))),
        ("+dog^.5", Line("dog", "", {"dog": 0.5}, ("dog",), ())),
        ("a t-shirt - or -- not", Line("a t-shirt - or -- not", "a t-shirt - or -- not", {}, (), ())),
        ("-Cats^3", Line("", "", {}, (), ("Cats",))),
        ("dog^ ^2", Line("dog^ ^2", "dog^ ^2", {}, (), ())),
        ("", Line("", "", {}, (), ())),
    ],
)
def test_lines(typed: str, line: Line) -> None:
    assert parse_line(typed) == line


@given(st.text(max_size=40))
def test_anything_can_be_typed_and_what_is_written_reads_the_same(typed: str) -> None:
    line = parse_line(typed)
    again = parse_line(written(line))
    assert (again.text, dict(again.factors), again.banned) == (line.text, dict(line.factors), line.banned)
    assert set(again.required) == set(line.required)
