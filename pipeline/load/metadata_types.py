"""The types of metadata fields in OpenSearch, from all their values: a table of text does not say them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
import pyarrow as pa

from lexel.pipeline.sources.item import Scalar

# What OpenSearch's default date format reads; Python's own reader takes more.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# "007" is a name: as a number it would lose its zeros.
_LONG = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_DOUBLE = re.compile(r"-?(0|[1-9]\d{0,17})\.\d+", re.ASCII)
_NOTHING = "missing"
# What pandas reads as a missing value, and a dash.
_MISSING = frozenset(
    """
    #n/a #na -1.#ind -1.#qnan -nan 1.#ind 1.#qnan <na> n/a na null nan none -
    """.split()  # noqa: SIM905 - read as a list of words
) | {"", "#n/a n/a"}


@dataclass(frozen=True)
class MetadataTypes:
    """The type of each field; `untidy` are those, not texts, in which some values are missing or have spaces around."""

    of: Mapping[str, str]
    untidy: frozenset[str]


def metadata_types(batches: Iterable[pa.RecordBatch]) -> MetadataTypes:
    """The OpenSearch type of each metadata field, from all its values: long, double, boolean, date, else keyword.

    A CSV has no types, so "2021-05-01" is a date where every value of that field is one, and a number likewise. Words
    for a missing value ("NA") and spaces around a number change no type.
    """
    kinds, untidy = dict[str, set[str]](), set[str]()
    for batch in batches:
        for text in batch.column("metadata").to_pylist():
            if text and text != "{}":
                for name, value in orjson.loads(text).items():
                    kinds.setdefault(name, set()).add(_kind(value))
                    if isinstance(value, str) and (is_missing(value) or value != value.strip()):
                        untidy.add(name)
    types = {name: _common(found) for name, found in kinds.items()}
    return MetadataTypes(types, frozenset(name for name in untidy if types[name] != "keyword"))


def tidied(metadata: Mapping[str, Scalar], untidy: frozenset[str]) -> dict[str, Scalar]:
    """The metadata without the missing values, and without the spaces, of the fields in `untidy`."""
    return {
        name: value.strip() if name in untidy and isinstance(value, str) else value
        for name, value in metadata.items()
        if not (name in untidy and isinstance(value, str) and is_missing(value))
    }


def is_missing(text: str) -> bool:
    """Whether a text says that there is no value."""
    return text.strip().lower() in _MISSING


def _common(kinds: set[str]) -> str:
    said = kinds - {_NOTHING}
    if len(said) == 1:
        return said.pop()
    return "double" if said == {"long", "double"} else "keyword"


def _kind(value: Scalar) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "long" if abs(value) < 2**63 else "keyword"
        case float():
            return "double"
    return _NOTHING if is_missing(value) else _kind_of_text(value.strip())


def _kind_of_text(text: str) -> str:
    if _LONG.fullmatch(text):
        return "long"
    if _DOUBLE.fullmatch(text):
        return "double"
    return "date" if _is_date(text) else "keyword"


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # the 30th of February
        return False
    return True
