"""What the metadata of a collection becomes in an index: a name that OpenSearch takes, and a type, for each field.

Nothing is lost by it: what no index can search is stored, and shown.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa

# Fields that can be searched; of more, the commonest. Each is a part of what every node of a cluster keeps in memory.
MOST_FIELDS = 5000
# The bytes of Lucene's longest term, and as many UTF-16 units as surely fit into them.
_LONGEST, _LONGEST_UNITS = 32_766, 32_766 // 3
# OpenSearch's limit is 20, and a field is in `meta` already.
_DEEPEST = 16
_LONGEST_NAME = 1000
# What OpenSearch's default date format reads; Python's own reader takes more.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# "007" is a name: as a number it would lose its zeros.
_LONG = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_DOUBLE = re.compile(r"-?(0|[1-9]\d{0,17})\.\d+", re.ASCII)
# What pandas reads as a missing value, and a few more words that stand among numbers and dates.
_MISSING = frozenset(
    """
    #n/a #na -1.#ind -1.#qnan -nan 1.#ind 1.#qnan <na> n/a na null nan none nat nil unknown - ?
    """.split()  # noqa: SIM905 - read as a list of words
) | {"", "#n/a n/a"}
# The field of where a picture was taken, as latitude and longitude; anyone's own text under this name stays text.
PLACE = "place"
_POINT = re.compile(r"(-?\d{1,2}\.\d+), ?(-?\d{1,3}\.\d+)", re.ASCII)
# Fields of sentences, in which people search for words too.
_SENTENCES = frozenset(["title", "description"])
# What goes into the index's field `written` beside the captions: the words that people wrote of an item.
_WRITTEN = _SENTENCES | {"keywords"}
# The types in which a word for a missing value is no value.
_TIDY = frozenset(["long", "double", "date", "boolean", "geo_point"])


@dataclass(frozen=True)
class MetadataFields:
    """The `properties` of the mapping of `meta`, and the `names` of fields that have another one there.

    `untidy` are fields of numbers, dates or booleans with missing values among them, or spaces around some.
    """

    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    untidy: frozenset[str] = frozenset()

    def stored(self, metadata: str) -> str | bytes:
        """An item's metadata, as JSON, as the index has it: other names, and in untidy fields values alone."""
        if not (self.names or self.untidy):
            return metadata
        values = orjson.loads(metadata)
        if not (self.names.keys() | self.untidy) & values.keys():
            return metadata
        tidy = {name: self._tidied(name, value) for name, value in values.items()}
        return orjson.dumps({self.names.get(name, name): value for name, value in tidy.items() if value is not None})

    def _tidied(self, name: str, value: Any) -> Any:
        if name not in self.untidy or not isinstance(value, str):
            return value
        return None if is_missing(value) else value.strip()


def is_missing(text: str) -> bool:
    """Whether a text among numbers says that there is no value."""
    return text.strip().lower() in _MISSING


def metadata_fields(batches: Iterable[pa.RecordBatch]) -> MetadataFields:
    """The fields of all rows. A type is that of all values: long, double, boolean, date, else keyword.

    A CSV has no types, so "2021-05-01" is a date where every value of that field is one, and a number likewise. Words
    for a missing value do not make text of numbers and dates. `place` is a geo_point where every value is one; a list
    of texts is a keyword for each; a title and a description are searched by words too (`title.words`). Other lists and
    objects are stored only, and so are texts that are longer than any index takes.
    """
    kinds, uses, loose = defaultdict[str, set[str]](set), Counter[str](), set[str]()
    for batch in batches:
        for text in batch.column("metadata").to_pylist():
            if text and text != "{}":
                for name, value in orjson.loads(text).items():
                    uses[name] += 1
                    kinds[name].add(_kind(value))
                    if isinstance(value, str) and (is_missing(value) or value != value.strip()):
                        loose.add(name)
    names = _names(kinds)
    some = sorted(kinds, key=lambda name: (-uses[name], name))[:MOST_FIELDS]
    properties = {names.get(name, name): _property(name, kinds[name]) for name in some}
    untidy = frozenset(name for name in loose if _type(name, kinds[name]) in _TIDY)
    return MetadataFields(properties, names, untidy)


def is_place(about: Mapping[str, Any] | None) -> bool:
    """Whether a field's mapping is that of a point on the earth."""
    return about is not None and about["type"] == "geo_point"


def _property(name: str, kinds: set[str]) -> dict[str, Any]:
    if "object" in kinds:
        return {"type": "object", "enabled": False}
    own: dict[str, Any] = {"type": _type(name, kinds)} | ({"copy_to": "written"} if name in _WRITTEN else {})
    if own["type"] in _TIDY:
        return own
    if name in _SENTENCES:
        own["fields"] = {"words": {"type": "text"}}
    return own | ({"ignore_above": _LONGEST_UNITS} if "long text" in kinds else {})


def _type(name: str, kinds: set[str]) -> str:
    common = _common(kinds)
    if common == "point":
        return "geo_point" if name == PLACE else "keyword"
    return common if common in _TIDY else "keyword"


def _common(kinds: set[str]) -> str:
    """The type that all values have, but for the missing ones."""
    real = kinds - {"missing"}
    if len(real) == 1:
        return next(iter(real))
    return "double" if real == {"long", "double"} else "keyword"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "long" if abs(value) < 2**63 else "keyword"
        case float():
            return "double"
        case str():
            return "missing" if is_missing(value) else _kind_of_text(value)
        case None:
            return "missing"
    return "keyword" if isinstance(value, list) and all(isinstance(one, str) for one in value) else "object"


def _kind_of_text(text: str) -> str:
    bare = text.strip()
    for kind, pattern in (("long", _LONG), ("double", _DOUBLE)):
        if pattern.fullmatch(bare):
            return kind
    for kind, holds in (("date", _is_date), ("point", _is_point)):
        if holds(bare):
            return kind
    return "long text" if len(text) > _LONGEST_UNITS and len(text.encode()) > _LONGEST else "keyword"


def _is_point(text: str) -> bool:
    found = _POINT.fullmatch(text)
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # the 30th of February
        return False
    return True


def _names(given: Iterable[str]) -> dict[str, str]:
    """Another name for each field that OpenSearch would refuse: of no name, of empty parts, or `a.b` beside `a`."""
    taken, objects, found = set[str](), set[str](), dict[str, str]()
    likely = {name: _allowed(name) for name in given}
    for name in sorted(likely, key=lambda name: (likely[name] != name, likely[name].count("."), name)):
        own = likely[name]
        if _above(own) & taken:
            own = own.replace(".", "_")
        number, wanted = 1, own
        while own in taken or own in objects or _above(own) & taken:
            number, own = number + 1, f"{wanted}_{number + 1}"
        taken.add(own)
        objects |= _above(own)
        if own != name:
            found[name] = own
    return found


def _allowed(name: str) -> str:
    parts = [part for part in name.split(".") if part.strip()]
    joined = (".".join(parts) if len(parts) <= _DEEPEST else "_".join(parts)) or "unnamed"
    if len(joined) <= _LONGEST_NAME:
        return joined
    return f"{joined[:_LONGEST_NAME]}~{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}".replace(".", "_")


def _above(name: str) -> set[str]:
    """The objects that a field of this name is in: a and a.b, for a.b.c."""
    parts = name.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts))}
