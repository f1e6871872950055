"""The way to OpenSearch: where it is, and what its refusals mean in one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy import exceptions as errors

from lexel.pipeline.cluster.json_serializer import Wire
from lexel.pipeline.cluster.retry import Connection
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import ClusterError

# The narrower kinds first: each is tried in turn.
_SENTENCES: dict[type[Exception], str] = {
    errors.SSLError: "OpenSearch's certificate is not trusted; set OPENSEARCH_CA to the file of the CA that signed it.",
    errors.ConnectionTimeout: "OpenSearch did not answer in time; when it is less busy, give the same command again.",
    errors.ConnectionError: "OpenSearch does not answer; see that it runs and that OPENSEARCH_URL is right.",
    errors.AuthenticationException: (
        "OpenSearch refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD, or OPENSEARCH_API_KEY, anew."
    ),
}


@dataclass(frozen=True)
class Address:
    """Where OpenSearch answers and how to be let in: a user and password, an API key, or AWS's own signatures.

    A secret never shows in a representation of it.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca: str | None = None  # a file with the certificates to trust
    api_key: str | None = None
    aws_region: str | None = None
    aws_service: str = "es"  # aoss for OpenSearch Serverless

    def __repr__(self) -> str:
        return f"Address({_apart(self.url)[0]!r}, user={self.user!r})"


def address() -> Address:
    """OPENSEARCH_URL with what lets in (_USER and _PASSWORD, _API_KEY, or _AWS_REGION), else the embedded node.

    Raises ClusterError where there is neither.
    """
    get = os.environ.get
    if url := get("OPENSEARCH_URL"):
        url, user, password = _apart(url)
        return Address(
            url,
            get("OPENSEARCH_USER") or user,
            get("OPENSEARCH_PASSWORD") or password,
            get("OPENSEARCH_CA") or None,
            get("OPENSEARCH_API_KEY") or None,
            get("OPENSEARCH_AWS_REGION") or None,
            get("OPENSEARCH_AWS_SERVICE") or "es",
        )
    node = node_control.running()
    if node is None:
        raise ClusterError(
            "OpenSearch is not running: `lexel engine start` starts the embedded one, OPENSEARCH_URL names another."
        )
    return Address(node.url)


def _apart(url: str) -> tuple[str, str | None, str | None]:
    """The address, and the user and the password that stand in it: from here on nobody shows them with it."""
    try:
        parts = urlsplit(url)
        user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
    except ValueError as error:
        raise ClusterError(
            "OPENSEARCH_URL is not an address; write it like https://search.example.com:9200."
        ) from error
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), user, password


def connect(where: Address | None = None, *, connections: int = 4, timeout: float = 60) -> OpenSearch:
    """A client for `where`, by default `address()`, that waits `timeout` seconds for an answer. Makes no request yet.

    It asks once more on a broken connection, which an idle one may be, and says at once what else goes wrong; `patient`
    makes one that waits. Raises ClusterError where `where` lets nobody in.
    """
    there = where or address()
    if there.ca and not Path(there.ca).is_file():
        raise ClusterError(f"OPENSEARCH_CA names {there.ca}, where there is no file of certificates.")
    return OpenSearch(
        there.url,
        connection_class=Connection,
        serializer=Wire(),
        http_auth=_auth(there),
        headers={"authorization": f"ApiKey {there.api_key}"} if there.api_key else None,
        ca_certs=there.ca,
        verify_certs=True,
        timeout=timeout,
        max_retries=1,
        retry_on_status=(),
        pool_maxsize=connections,
    )


def _auth(there: Address) -> Any:
    ways = [there.user, there.api_key, there.aws_region]
    if sum(map(bool, ways)) > 1:
        raise ClusterError("OPENSEARCH_USER, OPENSEARCH_API_KEY and OPENSEARCH_AWS_REGION are three ways in; set one.")
    if there.aws_region:
        return _aws_signer(there.aws_region, there.aws_service)
    return (there.user, there.password or "") if there.user else None


def _aws_signer(region: str, service: str) -> Any:
    """Signs each request (AWS Signature Version 4) with the credentials that AWS's own tools would find."""
    try:
        from botocore.session import Session
    except ImportError as error:
        raise ClusterError("Signing for AWS is not installed; run `pip install 'lexel[aws]'`.") from error
    credentials = Session().get_credentials()
    if credentials is None:
        raise ClusterError(
            "No AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
        )
    return Urllib3AWSV4SignerAuth(credentials, region, service)


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
    if isinstance(error, errors.AuthorizationException):
        return f"This OpenSearch user may not do that{_missing(error)}; ask for the right, or use another user."
    if isinstance(error, errors.TransportError):
        return f"OpenSearch refused the request ({error.status_code}): {_reason(error)}."
    return f"OpenSearch could not be used: {error}."


def _missing(error: errors.TransportError) -> str:
    """The action that the security plugin names, by which a right is given."""
    found = re.search(r"no permissions for \[([\w:/*, ]+)\]", _reason(error))
    return f" ({found[1]})" if found else ""


def _reason(error: errors.TransportError) -> str:
    info = error.info
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        causes = info["error"].get("root_cause") or [info["error"]]
        return str(causes[0].get("reason", info["error"].get("reason", ""))).rstrip(".")
    return str(error.error).rstrip(".")
