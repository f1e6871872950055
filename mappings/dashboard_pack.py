"""The saved objects of OpenSearch Dashboards for one index, from the templates in dashboards/.

Dashboards stores some inner objects as JSON strings; in the templates they are plain JSON and are serialised here.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["Facts", "Saved", "dashboards_pack"]

_TEMPLATES = Path(__file__).parent / "dashboards"
# Each refers only to objects before it.
_NAMES = ("index-pattern", "pictures", "weighed", "cloud", "words", "trends", "map", "places", "help", "dashboard")
# Fields that Dashboards stores as JSON strings.
_TEXTS = {
    *("fieldFormatMap", "sourceFilters", "searchSourceJSON", "visState"),
    *("uiStateJSON", "optionsJSON", "panelsJSON", "spec"),
}

Saved = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """The values filled into the templates: index name, base URL of its images, and two example terms.

    `date` is a date field, or None, and `interval` the unit of its histogram: y, M, w or d. `place` is a field of
    points on the earth, or None. Charts may show images from elsewhere where `external_urls` is true, which is
    `vis_type_vega.enableExternalUrls` of the server; else they would show errors in their place.
    """

    index: str
    images: str
    words: tuple[str, str]
    date: str | None = None
    interval: str = "M"
    place: str | None = None
    external_urls: bool = False


def dashboards_pack(facts: Facts) -> list[Saved]:
    """The saved objects, each one line of an NDJSON file.

    Without a date field there is no date histogram, and without a place no map of the earth. The map of the images
    shows dots alone unless external URLs are allowed.
    """
    absent = {name for name, field in (("trends", facts.date), ("places", facts.place)) if not field}
    places = {
        "<index>": facts.index,
        "<quoted>": quote(facts.index, safe=""),
        "<images>": facts.images.rstrip("/"),
        "<first>": facts.words[0],
        "<second>": facts.words[1],
        "<date>": facts.date or "",
        "<interval>": facts.interval,
        "<place>": facts.place or "",
    }
    read = {name: _read(name) for name in _NAMES if name not in absent}
    read["map"]["attributes"]["visState"]["params"]["spec"] = _map(external_urls=facts.external_urls)
    found = [_filled(saved, places) for saved in read.values()]
    return [_as_saved(_without(saved, absent) if saved["type"] == "dashboard" else saved) for saved in found]


def _read(name: str) -> Any:
    return json.loads((_TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))


def _map(*, external_urls: bool) -> Any:
    """The Vega specification of the map, with its images, or without them and what is computed for them."""
    spec = _read("map.vega")
    if not external_urls:
        images = [mark for mark in spec["marks"] if mark["type"] == "image"]
        theirs = {mark["from"]["data"] for mark in images}
        spec["marks"] = [mark for mark in spec["marks"] if mark not in images]
        spec["data"] = [data for data in spec["data"] if data["name"] not in theirs]
    return spec


def _filled(part: Any, places: Mapping[str, str]) -> Any:
    """`part` with the placeholders replaced in every string within it."""
    if isinstance(part, dict):
        return {key: _filled(value, places) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, places) for value in part]
    if isinstance(part, str):
        for place, value in places.items():
            part = part.replace(place, value)
    return part


def _without(dashboard: Saved, absent: Collection[str]) -> Saved:
    """A dashboard without the panels of these objects, whose space goes to the panel above each."""
    gone = {r["name"] for r in dashboard["references"] if r["id"].rpartition("-")[2] in absent}
    panels = dashboard["attributes"]["panelsJSON"]
    kept = [panel for panel in panels if panel["panelRefName"] not in gone]
    last = max(_below(panel["gridData"])[1] for panel in kept)
    for room in (panel["gridData"] for panel in panels if panel["panelRefName"] in gone):
        if room["y"] < last:  # what was below all others leaves no gap
            edge = (room["x"], room["y"], room["w"])
            above = next(panel["gridData"] for panel in kept if _below(panel["gridData"]) == edge)
            above["h"] += room["h"]
    dashboard["attributes"]["panelsJSON"] = kept
    dashboard["references"] = [reference for reference in dashboard["references"] if reference["name"] not in gone]
    return dashboard


def _below(grid: Mapping[str, Any]) -> tuple[int, int, int]:
    return grid["x"], grid["y"] + grid["h"], grid["w"]


def _as_saved(part: Any) -> Any:
    """`part` with the fields in _TEXTS serialised to JSON, the innermost first."""
    if isinstance(part, dict):
        return {key: _text(key, _as_saved(value)) for key, value in part.items()}
    return [_as_saved(value) for value in part] if isinstance(part, list) else part


def _text(key: str, value: Any) -> Any:
    if key == "markdown":
        return "\n\n".join(value)
    return json.dumps(value, ensure_ascii=False) if key in _TEXTS else value
