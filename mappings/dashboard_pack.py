"""The saved objects of OpenSearch Dashboards for one index: the templates beside this file, filled in.

A template is JSON all the way down; Dashboards wants the inner parts as text, so these are written out here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Facts", "Saved", "dashboards_pack"]

_TEMPLATES = Path(__file__).parent / "dashboards"
# In the order in which they refer to one another.
_NAMES = ("index-pattern", "pictures", "weighed", "cloud", "words", "trends", "map", "help", "dashboard")
# What Dashboards keeps as text within an object.
_TEXTS = {"fieldFormatMap", "searchSourceJSON", "visState", "uiStateJSON", "optionsJSON", "panelsJSON", "spec"}

Saved = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the objects say of a collection: its index, where its pictures are served, and two words that it has.

    `date` is a date field and `interval` the unit to count it by: y, M, w or d; None where there is none.
    """

    index: str
    images: str
    words: tuple[str, str]
    date: str | None = None
    interval: str = "M"


def dashboards_pack(facts: Facts) -> list[Saved]:
    """The objects, each a dict to be one line of an NDJSON file. Without a date there is no chart of times."""
    names = [name for name in _NAMES if facts.date or name != "trends"]
    places = {
        "<index>": facts.index,
        "<images>": facts.images.rstrip("/"),
        "<first>": facts.words[0],
        "<second>": facts.words[1],
        "<date>": facts.date or "",
        "<interval>": facts.interval,
    }
    return [_as_saved(_without_times(_filled(_read(name), places), facts)) for name in names]


def _read(name: str) -> Any:
    found = json.loads((_TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))
    if name == "map":
        found["attributes"]["visState"]["params"]["spec"] = _read("map.vega")
    return found


def _filled(part: Any, places: Mapping[str, str]) -> Any:
    """`part` with the places filled in, in every text below it."""
    if isinstance(part, dict):
        return {key: _filled(value, places) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, places) for value in part]
    if isinstance(part, str):
        for place, value in places.items():
            part = part.replace(place, value)
    return part


def _without_times(saved: Saved, facts: Facts) -> Saved:
    """A dashboard whose chart of times is not there gives its room to the table above."""
    if saved["type"] != "dashboard" or facts.date:
        return saved
    gone = next(r["name"] for r in saved["references"] if r["id"].endswith("-trends"))
    panels = saved["attributes"]["panelsJSON"]
    room = next(panel["gridData"] for panel in panels if panel["panelRefName"] == gone)
    edge = (room["x"], room["y"], room["w"])
    above = next(panel["gridData"] for panel in panels if _below(panel["gridData"]) == edge)
    above["h"] += room["h"]
    saved["attributes"]["panelsJSON"] = [panel for panel in panels if panel["panelRefName"] != gone]
    saved["references"] = [reference for reference in saved["references"] if reference["name"] != gone]
    return saved


def _below(grid: Mapping[str, Any]) -> tuple[int, int, int]:
    return grid["x"], grid["y"] + grid["h"], grid["w"]


def _as_saved(part: Any) -> Any:
    """`part` with the inner texts written out, the innermost first."""
    if isinstance(part, dict):
        return {key: _text(key, _as_saved(value)) for key, value in part.items()}
    return [_as_saved(value) for value in part] if isinstance(part, list) else part


def _text(key: str, value: Any) -> Any:
    if key == "markdown":
        return "\n\n".join(value)
    return json.dumps(value, ensure_ascii=False) if key in _TEXTS else value
