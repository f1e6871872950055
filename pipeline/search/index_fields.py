"""The fields of an index, by which conditions and facets are checked before they are sent."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import Dsl, Filters

_NUMBERS = frozenset(["long", "integer", "double", "float"])
_ORDERED = _NUMBERS | {"date"}
_COUNTED = _ORDERED | {"keyword", "boolean"}
# A year, a month or a day, with a time or without.
_DATE = re.compile(r"(\d{4})(-\d\d)?(-\d\d(T\S+)?)?", re.ASCII)
# What else OpenSearch understands: milliseconds since 1970, and sums with dates.
_OTHER_DATES = re.compile(r"-?\d{5,}|now.*|.*\|\|.*", re.ASCII)
# Of more fields a message names so many.
_NAMED = 30
# The clauses that are conditions on a field, and what stands in them beside it.
_KINDS = frozenset(["term", "terms", "range", "geo_distance"])
_NO_FIELDS = frozenset(["boost", "distance"])
_VALUES = frozenset(["value", "gt", "gte", "lt", "lte"])
# What people ask by beside their own metadata.
_OWN = ("id", "uri", "label", "width", "height")


@dataclass(frozen=True)
class IndexFields:
    """The type of each field that can be asked for, by its full name."""

    types: Mapping[str, str]

    @classmethod
    def of(cls, mappings: Iterable[Mapping[str, Any]]) -> "IndexFields":
        """Those of several indices together."""
        return cls({name: kind for one in mappings for name, kind in _flat(one["properties"], "")})

    def check(self, filters: Filters, facets: Iterable[str] = ()) -> None:
        """Raise ConfigError for a condition or facet that the fields cannot answer, or a field that is not there."""
        for clause, name, asked in _conditions(list(filters)):
            self._check_condition(clause, name, asked)
        for name in facets:
            if self._kind(name) not in _COUNTED:
                raise ConfigError(f"The values of {_short(name)} cannot be counted; {self._there(_COUNTED)}")

    def dates(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the fields that hold dates."""
        return frozenset(name for name in names if self.types.get(name) == "date")

    def with_whole_dates(self, clause: Any) -> Any:
        """A clause whose years and months are all of the year or month: 2021 is until its last day."""
        if isinstance(clause, list):
            return [self.with_whole_dates(one) for one in clause]
        if not isinstance(clause, dict):
            return clause
        made = {kind: self.with_whole_dates(inner) for kind, inner in clause.items()}
        for kind in ("term", "terms", "range"):
            for name in self.dates(clause[kind]) if isinstance(clause.get(kind), dict) else ():
                made = _on_dates(kind, name, clause[kind][name])
        return made

    def _check_condition(self, clause: str, name: str, asked: Any) -> None:
        kind = self._kind(name)
        if kind == "object":
            raise ConfigError(f"{_short(name)} holds lists or objects, which are kept and not searched.")
        if (clause == "geo_distance") != (kind == "geo_point"):
            raise ConfigError(f"{_short(name)} {_about_places(_short(name), kind)}")
        if clause == "range" and kind not in _ORDERED:
            raise ConfigError(
                f"{_short(name)} holds text, which has no range: write {_short(name)}=VALUE; {self._there(_ORDERED)}"
            )
        values = asked if isinstance(asked, list) else [asked]
        if isinstance(asked, dict):
            values = [value for key, value in asked.items() if key in _VALUES]
        wrong = [value for value in values if kind in _NUMBERS and not _is_number(value)]
        if wrong:
            raise ConfigError(f"{_short(name)} holds numbers, and {wrong[0]!r} is none.")
        wrong = [value for value in values if kind == "date" and not _is_date(str(value))]
        if wrong:
            raise ConfigError(
                f"{_short(name)} holds dates, and {wrong[0]!r} is none: write 2021, 2021-05 or 2021-05-31."
            )

    def _kind(self, name: str) -> str:
        if name not in self.types:
            raise ConfigError(f"There is no field {_short(name)}; {self._there(_COUNTED)}")
        return self.types[name]

    def _there(self, kinds: frozenset[str]) -> str:
        names = [n for n, kind in self.types.items() if kind in kinds and (n in _OWN or n.startswith("meta."))]
        short = sorted(map(_short, names))
        rest = f" and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
        return f"those that there are: {', '.join(short[:_NAMED])}{rest}."


def _flat(properties: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    """Each field below `properties` with its type."""
    for name, about in properties.items():
        yield f"{above}{name}", about.get("type", "object")
        for inner in ("properties", "fields"):
            yield from _flat(about.get(inner, {}), f"{above}{name}.")


def _conditions(clause: Any) -> Iterator[tuple[str, str, Any]]:
    """Each condition in a clause: its kind, field and what is asked for."""
    if isinstance(clause, list):
        for one in clause:
            yield from _conditions(one)
    elif isinstance(clause, dict):
        for kind, inner in clause.items():
            if kind in _KINDS and isinstance(inner, dict):
                yield from ((kind, name, asked) for name, asked in inner.items() if name not in _NO_FIELDS)
            else:
                yield from _conditions(inner)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _about_places(name: str, kind: str) -> str:
    if kind == "geo_point":
        return f"holds places on the earth: write {name}~LATITUDE,LONGITUDE,DISTANCE, such as {name}~52.5,13.4,10km."
    return f"holds no places on the earth, so nothing in it is near: write {name}=VALUE."


def _is_date(text: str) -> bool:
    if _OTHER_DATES.fullmatch(text):
        return True
    parts = _DATE.fullmatch(text)
    if not parts:
        return False
    try:
        datetime.fromisoformat(text if parts[3] else f"{parts[1]}{parts[2] or '-01'}-01")
    except ValueError:
        return False
    return True


def _on_dates(kind: str, name: str, asked: Any) -> Dsl:
    if kind == "terms":
        return {"bool": {"should": [_on_dates("term", name, one) for one in asked]}}
    if kind == "term":
        if (whole := _whole(asked)) == asked:
            return {"term": {name: asked}}
        return {"range": {name: {"gte": whole, "lte": whole}}}
    return {"range": {name: {sign: _whole(value) for sign, value in asked.items()}}}


def _whole(value: Any) -> Any:
    """A year or month as OpenSearch rounds it: down for a beginning, up for an end."""
    parts = _DATE.fullmatch(str(value))
    if not parts or parts[3]:
        return value
    return f"{value}||/{'M' if parts[2] else 'y'}"


def _short(name: str) -> str:
    return "term" if name == "top_terms" else name.removeprefix("meta.")
