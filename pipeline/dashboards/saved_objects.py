"""Saved objects as an NDJSON file, and their import into a running OpenSearch Dashboards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from lexel.mappings.dashboard_pack import Saved
from lexel.pipeline.dashboards.dashboards_client import DashboardsClient
from lexel.pipeline.errors import ClusterError

_SETTINGS = "/api/opensearch-dashboards/settings"
_LANGUAGE, _DEFAULT = "search:queryLanguage", "defaultIndex"


@dataclass(frozen=True)
class Imported:
    """The dashboard's URL, the number of objects, and sentences on what else was changed for the user."""

    url: str
    count: int
    notes: Sequence[str]


def ndjson(pack: Sequence[Saved]) -> bytes:
    """The objects as NDJSON, one per line, the import format of Dashboards."""
    return b"".join(orjson.dumps(saved) + b"\n" for saved in pack)


def import_saved_objects(pack: Sequence[Saved], client: DashboardsClient) -> Imported:
    """Import the objects into the Dashboards of `client`.

    Objects of an earlier import of the same index are replaced. The search bar's language is set to Lucene, which ranks
    results, and the index pattern becomes the default where there is none. Raises ClusterError if Dashboards cannot be
    reached, refuses the login, or rejects an object.
    """
    file = ("lexel.ndjson", ndjson(pack), "application/ndjson")
    answer = client.post("/api/saved_objects/_import?overwrite=true", fields={"file": file})
    if not answer.get("success"):
        raise ClusterError(_refusal(answer, len(pack)))
    dashboard = next(saved["id"] for saved in pack if saved["type"] == "dashboard")
    return Imported(f"{client.url}/app/dashboards#/view/{quote(dashboard)}", len(pack), _settled(client, pack))


def _settled(client: DashboardsClient, pack: Sequence[Saved]) -> list[str]:
    """Set the language and the default, and say so; what the server's own file sets cannot be changed."""
    pattern = next(saved for saved in pack if saved["type"] == "index-pattern")
    kept = client.get(_SETTINGS).get("settings", {})
    language, default = (kept.get(name, {}) for name in (_LANGUAGE, _DEFAULT))
    before, changes, notes = language.get("userValue"), {}, []
    if before != "lucene" and not language.get("isOverridden"):
        changes[_LANGUAGE] = "lucene"
        was = f"; it was {before}" if before else ""
        notes.append(f"New search bars in Dashboards use Lucene, which ranks ({_LANGUAGE}{was}).")
    if not default.get("userValue") and not default.get("isOverridden"):
        changes[_DEFAULT] = pattern["id"]
        notes.append(f"{pattern['attributes']['title']} is the default index pattern, as there was none ({_DEFAULT}).")
    elif default.get("userValue") != pattern["id"]:
        notes.append(f"The default index pattern stays what it was ({_DEFAULT}).")
    if changes:
        client.post(_SETTINGS, json={"changes": changes})
    return notes


def _refusal(answer: Mapping[str, Any], count: int) -> str:
    errors = answer.get("errors") or [{}]
    first = errors[0]
    name = first.get("title") or first.get("meta", {}).get("title") or first.get("id", "an object")
    reason = str(first.get("error", {}).get("type", "it did not say why")).replace("_", " ")
    return (
        f"Dashboards took {answer.get('successCount', 0)} of {count} objects, and not {name!r} ({reason}); "
        "it may be older than 2.19."
    )
