"""The fields of an index, by which conditions and facets are checked before they are sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import Filters

_NUMBERS = frozenset(["long", "integer", "double", "float"])
_ORDERED = _NUMBERS | {"date"}
_COUNTED = _ORDERED | {"keyword", "boolean"}
# Of more fields a message names so many.
_NAMED = 30
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

    def _check_condition(self, clause: str, name: str, asked: Any) -> None:
        kind = self._kind(name)
        if kind == "object":
            raise ConfigError(f"{_short(name)} holds lists or objects, which are kept and not searched.")
        if clause == "range" and kind not in _ORDERED:
            raise ConfigError(
                f"{_short(name)} holds text, which has no range: write {_short(name)}=VALUE; {self._there(_ORDERED)}"
            )
        values = asked.values() if isinstance(asked, dict) else asked if isinstance(asked, list) else [asked]
        wrong = [value for value in values if kind in _NUMBERS and not _is_number(value)]
        if wrong:
            raise ConfigError(f"{_short(name)} holds numbers, and {wrong[0]!r} is none.")

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
            if kind in {"term", "terms", "range"} and isinstance(inner, dict):
                yield from ((kind, name, asked) for name, asked in inner.items() if name != "boost")
            else:
                yield from _conditions(inner)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _short(name: str) -> str:
    return "term" if name == "top_terms" else name.removeprefix("meta.")
