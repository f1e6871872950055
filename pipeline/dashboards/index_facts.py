"""OpenSearch Dashboards: what its saved objects say of an index, and the way into a running Dashboards."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
import urllib3
from opensearchpy import OpenSearch
from urllib3.exceptions import HTTPError, SSLError

from lexel.mappings.dashboard_pack import Facts, Saved
from lexel.pipeline.cluster.client import Address, in_words
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.search.index import Index

# By how many milliseconds of a collection's dates they are counted, so that a chart has about ten to a hundred points.
_DAY = 24 * 3600 * 1000
_INTERVALS = ((6 * 365 * _DAY, "y"), (240 * _DAY, "M"), (56 * _DAY, "w"), (0, "d"))
# What stands in the examples where the pictures have no words yet.
_WORDS = ("dog", "snow")


def facts(client: OpenSearch, index: str, *, images: str) -> Facts:
    """What the objects say of `index`, whose pictures `lexel serve` shows at `images`.

    Its date is the metadata field that most documents have a date in, its words the commonest and what goes best with
    it. Raises ClusterError where there is no such index, a foreign one, or one of captions.
    """
    if Index(client, index).about["captions"]:
        raise ClusterError(f"The index {index} holds captions and the dashboard shows pictures; give --index of these.")
    with in_words():
        mappings = next(iter(client.indices.get_mapping(index=index).values()))["mappings"]
        date, interval = _date(client, index, mappings["properties"].get("meta", {}).get("properties", {}))
        words = _words(client, index)
    return Facts(index, images, words, date, interval)


def _date(client: OpenSearch, index: str, fields: Mapping[str, Any]) -> tuple[str | None, str]:
    """The date field that most documents have, and the unit that suits its span."""
    names = [f"meta.{name}" for name, field in sorted(fields.items()) if field["type"] == "date"]
    if not names:
        return None, "M"
    found = _aggregated(client, index, {name: {"stats": {"field": name}} for name in names})
    most = max(names, key=lambda name: found[name]["count"])  # the first of equals
    if not found[most]["count"]:
        return None, "M"
    span = found[most]["max"] - found[most]["min"]
    return most, next(unit for least, unit in _INTERVALS if span >= least)


def _words(client: OpenSearch, index: str) -> tuple[str, str]:
    """The commonest word, and the commonest beside it."""
    common = {"terms": {"field": "top_terms", "size": 1, "shard_size": 100}}
    first = _aggregated(client, index, {"words": common})["words"]["buckets"]
    if not first:
        return _WORDS
    word = first[0]["key"]
    beside = {"terms": {"field": "top_terms", "size": 2, "shard_size": 100}}
    only = {"filter": {"term": {"top_terms": word}}, "aggs": {"words": beside}}
    others = [bucket["key"] for bucket in _aggregated(client, index, {"with": only})["with"]["words"]["buckets"]]
    return word, next((other for other in others if other != word), word)


def _aggregated(client: OpenSearch, index: str, aggs: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.search(index=index, body={"size": 0, "aggs": aggs})["aggregations"]
    return found


def ndjson(pack: Sequence[Saved]) -> bytes:
    """The pack as Dashboards imports and exports it: a line an object."""
    return b"".join(orjson.dumps(saved) + b"\n" for saved in pack)


def install(pack: Sequence[Saved], *, url: str, where: Address) -> str:
    """Import the pack into the Dashboards at `url`, and return the address of its dashboard there.

    What an earlier import left of the same index is replaced. The search bar's language becomes Lucene, which ranks,
    and the index pattern the one that is shown first. `where` says who asks, as with OpenSearch itself. Raises
    ClusterError where Dashboards is away, refuses the login, or does not take all of it.
    """
    door = _Door(url, where)
    file = ("lexel.ndjson", ndjson(pack), "application/ndjson")
    answer = door.post("/api/saved_objects/_import?overwrite=true", fields={"file": file})
    if not answer.get("success"):
        raise ClusterError(_refusal(answer, len(pack)))
    pattern = next(saved["id"] for saved in pack if saved["type"] == "index-pattern")
    changes = {"search:queryLanguage": "lucene", "defaultIndex": pattern}
    door.post("/api/opensearch-dashboards/settings", json={"changes": changes})
    dashboard = next(saved["id"] for saved in pack if saved["type"] == "dashboard")
    return f"{door.url}/app/dashboards#/view/{quote(dashboard)}"


class _Door:
    """The way into Dashboards: its address, and what lets in."""

    def __init__(self, url: str, where: Address) -> None:
        try:
            parts = urllib3.util.parse_url(url)
        except HTTPError as error:
            raise ClusterError("--url is not an address; write it like http://127.0.0.1:5601.") from error
        if parts.scheme not in {"http", "https"} or not parts.host:
            raise ClusterError(f"--url {url} is not an address; write it like http://127.0.0.1:5601.")
        self.url = parts._replace(auth=None).url.rstrip("/")  # a password in it is shown to nobody
        user = parts.auth or (f"{where.user}:{where.password or ''}" if where.user else None)
        self._headers = {"osd-xsrf": "true"} | (urllib3.util.make_headers(basic_auth=user) if user else {})
        if where.api_key:
            self._headers["authorization"] = f"ApiKey {where.api_key}"
        self._pool = urllib3.PoolManager(ca_certs=where.ca, timeout=60.0, retries=False)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The answer to a request, `fields` or `json`. Raises ClusterError where it is a refusal, or none of ours."""
        try:
            answer = self._pool.request("POST", self.url + path, headers=self._headers, redirect=False, **body)
        except SSLError as error:
            raise ClusterError(
                "The certificate of Dashboards is not trusted; set OPENSEARCH_CA to the file of the CA that signed it."
            ) from error
        except HTTPError as error:
            raise ClusterError(f"Dashboards does not answer at {self.url}; see that it runs, or give --url.") from error
        return self._understood(answer.status, answer.data)

    def _understood(self, status: int, content: bytes) -> dict[str, Any]:
        if status == 401:
            raise ClusterError("Dashboards refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD.")
        if status == 403:
            raise ClusterError("This user may not change saved objects in Dashboards; ask for the rights.")
        if status == 503:
            raise ClusterError(f"Dashboards at {self.url} is not ready yet; give the same command again in a while.")
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise ClusterError(f"What answers at {self.url} is not Dashboards; give its address by --url.")
        if status >= 300:
            reason = str(found.get("message", "")).rstrip(".")
            raise ClusterError(f"Dashboards refused the request ({status}): {reason}.")
        return found


def _refusal(answer: Mapping[str, Any], count: int) -> str:
    errors = answer.get("errors") or [{}]
    first = errors[0]
    name = first.get("title") or first.get("meta", {}).get("title") or first.get("id", "an object")
    reason = str(first.get("error", {}).get("type", "it did not say why")).replace("_", " ")
    return (
        f"Dashboards took {answer.get('successCount', 0)} of {count} objects, and not {name!r} ({reason}); "
        "it may be older than 2.19."
    )
