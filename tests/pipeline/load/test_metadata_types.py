"""Missing values and spaces among numbers and dates: the type holds, and the document says nothing in their place."""

from collections.abc import Sequence

import orjson
import pyarrow as pa
import pytest

from lexel.pipeline.load.metadata_types import MetadataTypes, is_missing, metadata_types, tidied
from lexel.pipeline.sources.item import Scalar


def _types(values: Sequence[Scalar]) -> MetadataTypes:
    return metadata_types([pa.record_batch({"metadata": [orjson.dumps({"x": v, "y": "z"}).decode() for v in values]})])


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "null", "None", "<NA>", "#N/A", "-", " ", "-1.#IND"])
@pytest.mark.parametrize(
    ("values", "kind"),
    [(["3", " 14 "], "long"), (["2.5", "3"], "double"), (["2020-02-29"], "date"), ([True], "boolean")],
)
def test_a_word_for_nothing_changes_no_type(values: Sequence[Scalar], kind: str, word: str) -> None:
    found = _types([*values, word])
    assert (found.of["x"], found.untidy) == (kind, {"x"})
    assert tidied({"x": word, "y": "NA"}, found.untidy) == {"y": "NA"}


def test_among_texts_it_is_a_text() -> None:
    """NA is Namibia."""
    for values in (["DE", "NA"], ["NA", "None"], [" soon ", "5"]):
        found = _types(values)
        assert (found.of["x"], found.untidy) == ("keyword", frozenset())


def test_spaces_around_a_number_are_taken_away() -> None:
    assert _types([" 7", "8"]) == MetadataTypes({"x": "long", "y": "keyword"}, frozenset({"x"}))
    assert tidied({"x": " 7", "y": " 8"}, frozenset({"x"})) == {"x": "7", "y": " 8"}


def test_values_that_are_there_are_not_missing() -> None:
    assert not any(map(is_missing, ["0", "no", "nada", "--", "false"]))
