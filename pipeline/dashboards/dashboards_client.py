"""An HTTP client for OpenSearch Dashboards, which says what it is that answers where Dashboards does not."""

import base64
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, NoReturn
from urllib.parse import urlsplit

import orjson
import urllib3
from urllib3.exceptions import HTTPError, SSLError

from lexel.pipeline.cluster.client import Address, login_apart
from lexel.pipeline.errors import ClusterError

_EXAMPLE = "http://127.0.0.1:5601"
# The element of every page of Dashboards that holds, as JSON, what the server tells the browser.
_METADATA = "osd-injected-metadata"


class DashboardsClient:
    """An HTTP client for Dashboards. Raises ClusterError if `url` is invalid."""

    def __init__(self, url: str, where: Address) -> None:
        plain, user, password = login_apart(url, name="--url", example=_EXAMPLE)
        if not _is_address(plain):
            raise ClusterError(f"--url {plain} is not an address; write it like {_EXAMPLE}.")
        self.url = plain.rstrip("/")
        if not user:
            user, password = where.user, where.password
        self._headers = {"osd-xsrf": "true"}
        if user:
            login = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
            self._headers["authorization"] = f"Basic {login}"
        elif where.api_key:
            self._headers["authorization"] = f"ApiKey {where.api_key}"
        self._pool = urllib3.PoolManager(ca_certs=where.ca, timeout=60.0, retries=False)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """POST `fields` or `json` and return the answer's JSON object. Raises ClusterError if it is an error."""
        return self._object(self._ask("POST", path, **body))

    def get(self, path: str) -> dict[str, Any]:
        """GET a JSON object. Raises ClusterError if the answer is an error."""
        return self._object(self._ask("GET", path))

    def external_urls(self) -> bool | None:
        """Whether its charts may show images from elsewhere, which is `vis_type_vega.enableExternalUrls`.

        None where the login is by a page, which a program does not get past. Raises ClusterError if what answers is not
        Dashboards.
        """
        answer = self._ask("GET", "/app/dashboards")
        if 300 <= answer.status < 400:
            return None
        page = _Page()
        page.feed(answer.data.decode(errors="replace"))
        if page.metadata is None:
            self._object(answer)
            self._stranger()
        plugins = page.metadata.get("uiPlugins", [])
        found = [one.get("config", {}) for one in plugins if one.get("id") == "visTypeVega"]
        return bool(found and found[0].get("enableExternalUrls"))

    def _ask(self, method: str, path: str, **body: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(method, self.url + path, headers=self._headers, redirect=False, **body)
        except SSLError as error:
            raise ClusterError(
                "The certificate of Dashboards is not trusted; set OPENSEARCH_CA to the file of the CA that signed it."
            ) from error
        except HTTPError as error:
            raise ClusterError(f"Dashboards does not answer at {self.url}; see that it runs, or give --url.") from error

    def _object(self, answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        if answer.status == 503:
            raise ClusterError(f"Dashboards at {self.url} is not ready yet; give the same command again in a while.")
        found = _json(answer.data)
        if answer.status < 300 and found is not None:
            return found
        if answer.status == 401:
            self._stranger("Dashboards refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD.")
        if found is None or "message" not in found:
            self._stranger()
        if answer.status == 403:
            raise ClusterError("This user may not change saved objects in Dashboards; ask for the rights.")
        if answer.status == 404 and "statusCode" in found:
            self._stranger(
                f"Dashboards answers at {self.url}, and has nothing there: it runs below a path (server.basePath); "
                f"give --url with it, like {self.url}/dashboards."
            )
        reason = str(found["message"]).rstrip(".")
        raise ClusterError(f"Dashboards refused the request ({answer.status}): {reason}.")

    def _stranger(self, otherwise: str | None = None) -> NoReturn:
        """Raise ClusterError that says what answers, if that can be told, or else `otherwise`."""
        if "tagline" in self._seen("/"):
            raise ClusterError(f"What answers at {self.url} is OpenSearch; give the address of Dashboards by --url.")
        if {"status", "cluster", "models"} <= self._seen("/healthz").keys():
            raise ClusterError(
                f"What answers at {self.url} is `lexel serve`, whose address is --images; give that of Dashboards by "
                "--url."
            )
        raise ClusterError(
            otherwise or f"What answers at {self.url} is not Dashboards; give its address by --url, with its base path."
        )

    def _seen(self, path: str) -> Mapping[str, Any]:
        """The JSON object at `path`, empty if there is none."""
        return _json(self._ask("GET", path).data) or {}


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number
        return False


class _Page(HTMLParser):
    """A page of Dashboards: `metadata` is what its server tells the browser, None for a page of something else."""

    metadata: dict[str, Any] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == _METADATA:
            self.metadata = _json((dict(attrs).get("data") or "").encode())


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
