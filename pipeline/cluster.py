"""The way to OpenSearch: where it is, and what its refusals mean in one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.pipeline import engine
from lexel.pipeline.errors import ClusterError

# The narrower kinds first: each is tried in turn.
_SENTENCES: dict[type[Exception], str] = {
    errors.SSLError: "OpenSearch's certificate is not trusted; set OPENSEARCH_CA to the file of the CA that signed it.",
    errors.ConnectionTimeout: "OpenSearch did not answer in time; when it is less busy, give the same command again.",
    errors.ConnectionError: "OpenSearch does not answer; see that it runs and that OPENSEARCH_URL is right.",
    errors.AuthenticationException: "OpenSearch refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD.",
    errors.AuthorizationException: "This OpenSearch user may not do that; ask for the rights, or use another user.",
}


@dataclass(frozen=True)
class Address:
    """Where OpenSearch answers and how to be let in. The password never shows in a representation of it."""

    url: str
    user: str | None = None
    password: str | None = None
    ca: str | None = None

    def __repr__(self) -> str:
        return f"Address({self.url!r}, user={self.user!r})"


def address() -> Address:
    """OPENSEARCH_URL (with _USER, _PASSWORD and _CA) if it is set, else the embedded node.

    Raises ClusterError where there is neither.
    """
    if url := os.environ.get("OPENSEARCH_URL"):
        return Address(url, *(os.environ.get(f"OPENSEARCH_{name}") for name in ("USER", "PASSWORD", "CA")))
    node = engine.running()
    if node is None:
        raise ClusterError(
            "OpenSearch is not running: `lexel engine start` starts the embedded one, OPENSEARCH_URL names another."
        )
    return Address(node.url)


def connect(where: Address | None = None, *, connections: int = 4) -> OpenSearch:
    """A client for `where`, by default `address()`. Makes no request yet."""
    there = where or address()
    auth = (there.user, there.password or "") if there.user else None
    return OpenSearch(
        there.url,
        http_auth=auth,
        ca_certs=there.ca,
        verify_certs=True,
        timeout=60,
        max_retries=3,
        retry_on_timeout=True,
        pool_maxsize=connections,
    )


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the client library raises into a ClusterError of one sentence."""
    try:
        yield
    except errors.OpenSearchException as error:
        raise ClusterError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            return sentence
    if isinstance(error, errors.TransportError):
        return f"OpenSearch refused the request ({error.status_code}): {_reason(error)}."
    return f"OpenSearch could not be used: {error}."


def _reason(error: errors.TransportError) -> str:
    info = error.info
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        causes = info["error"].get("root_cause") or [info["error"]]
        return str(causes[0].get("reason", info["error"].get("reason", ""))).rstrip(".")
    return str(error.error).rstrip(".")
