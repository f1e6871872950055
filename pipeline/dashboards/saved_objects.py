"""Saved objects as an NDJSON file, and their import into a running OpenSearch Dashboards."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
import urllib3
from urllib3.exceptions import HTTPError, SSLError

from lexel.mappings.dashboard_pack import Saved
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.errors import ClusterError


def ndjson(pack: Sequence[Saved]) -> bytes:
    """The objects as NDJSON, one per line, the import format of Dashboards."""
    return b"".join(orjson.dumps(saved) + b"\n" for saved in pack)


def import_saved_objects(pack: Sequence[Saved], *, url: str, where: Address) -> str:
    """Import the objects into the Dashboards at `url` with the credentials of `where`; return the dashboard's URL.

    Objects of an earlier import of the same index are replaced. The search bar's language is set to Lucene, which ranks
    results, and the index pattern becomes the default. Raises ClusterError if Dashboards cannot be reached, refuses the
    login, or rejects an object.
    """
    client = DashboardsClient(url, where)
    file = ("lexel.ndjson", ndjson(pack), "application/ndjson")
    answer = client.post("/api/saved_objects/_import?overwrite=true", fields={"file": file})
    if not answer.get("success"):
        raise ClusterError(_refusal(answer, len(pack)))
    pattern = next(saved["id"] for saved in pack if saved["type"] == "index-pattern")
    changes = {"search:queryLanguage": "lucene", "defaultIndex": pattern}
    client.post("/api/opensearch-dashboards/settings", json={"changes": changes})
    dashboard = next(saved["id"] for saved in pack if saved["type"] == "dashboard")
    return f"{client.url}/app/dashboards#/view/{quote(dashboard)}"


class DashboardsClient:
    """An HTTP client for Dashboards. Raises ClusterError if `url` is invalid."""

    def __init__(self, url: str, where: Address) -> None:
        try:
            parts = urllib3.util.parse_url(url)
        except HTTPError as error:
            raise ClusterError("--url is not an address; write it like http://127.0.0.1:5601.") from error
        if parts.scheme not in {"http", "https"} or not parts.host:
            raise ClusterError(f"--url {url} is not an address; write it like http://127.0.0.1:5601.")
        self.url = parts._replace(auth=None).url.rstrip("/")  # without a password, for messages
        user = parts.auth or (f"{where.user}:{where.password or ''}" if where.user else None)
        self._headers = {"osd-xsrf": "true"} | (urllib3.util.make_headers(basic_auth=user) if user else {})
        if where.api_key:
            self._headers["authorization"] = f"ApiKey {where.api_key}"
        self._pool = urllib3.PoolManager(ca_certs=where.ca, timeout=60.0, retries=False)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """POST `fields` or `json` and return the answer's JSON object. Raises ClusterError if it is an error."""
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
