"""Missing values and spaces among numbers and dates: the type holds, and the document says nothing in their place."""

from collections.abc import Sequence

import orjson
import pyarrow as pa
import pytest

from lexel.pipeline.load.documents.metadata_fields import MetadataFields, is_missing, metadata_fields
from lexel.pipeline.sources.item import Scalar


def _fields(values: Sequence[Scalar]) -> MetadataFields:
    return metadata_fields([pa.record_batch({"metadata": [orjson.dumps({"x": v, "y": "z"}).decode() for v in values]})])


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "null", "None", "<NA>", "#N/A", "-", " ", "-1.#IND"])
@pytest.mark.parametrize(
    ("values", "kind"),
    [(["3", " 14 "], "long"), (["2.5", "3"], "double"), (["2020-02-29"], "date"), ([True], "boolean")],
)
def test_a_word_for_nothing_changes_no_type(values: Sequence[Scalar], kind: str, word: str) -> None:
    found = _fields([*values, word])
    assert (found.properties["x"], found.untidy) == ({"type": kind}, {"x"})
    assert orjson.loads(found.stored(orjson.dumps({"x": word, "y": "NA"}).decode())) == {"y": "NA"}


def test_among_texts_it_is_a_text() -> None:
    """NA is Namibia."""
    for values in (["DE", "NA"], ["NA", "None"], [" soon ", "5"]):
        found = _fields(values)
        assert (found.properties["x"], found.untidy) == ({"type": "keyword"}, frozenset())


def test_spaces_around_a_number_are_taken_away() -> None:
    found = _fields([" 7", "8"])
    assert (found.properties["x"], found.untidy) == ({"type": "long"}, {"x"})
    assert orjson.loads(found.stored('{"x": " 7", "y": " 8"}')) == {"x": "7", "y": " 8"}


def test_values_that_are_there_are_not_missing() -> None:
    assert not any(map(is_missing, ["0", "no", "nada", "--", "false"]))
