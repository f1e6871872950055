"""The address of OpenSearch, from the environment, and a client for it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth

from lexel.pipeline.cluster.json_serializer import OrjsonSerializer
from lexel.pipeline.cluster.retry import Connection
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import ClusterError


@dataclass(frozen=True)
class Address:
    """URL and credentials of OpenSearch: user and password, an API key, or AWS Signature Version 4.

    Its repr contains no secret.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca: str | None = None  # a file of CA certificates to trust
    api_key: str | None = None
    aws_region: str | None = None
    aws_service: str = "es"  # aoss for OpenSearch Serverless

    def __repr__(self) -> str:
        return f"Address({login_apart(self.url)[0]!r}, user={self.user!r})"


def address() -> Address:
    """The address in OPENSEARCH_URL with credentials from OPENSEARCH_USER and the like, else that of the embedded node.

    Raises ClusterError if OPENSEARCH_URL is not set and no embedded node runs.
    """
    get = os.environ.get
    if url := get("OPENSEARCH_URL"):
        url, user, password = login_apart(url)
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


def login_apart(
    url: str, *, name: str = "OPENSEARCH_URL", example: str = "https://search.example.com:9200"
) -> tuple[str, str | None, str | None]:
    """A URL without the user and password in it, so that messages show no password, and these two, unquoted.

    Raises ClusterError, with the `name` that the URL was given under and an `example`, if it is none.
    """
    try:
        parts = urlsplit(url)
        user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
    except ValueError as error:
        raise ClusterError(f"{name} is not an address; write it like {example}.") from error
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), user, password


def connect(where: Address | None = None, *, connections: int = 4, timeout: float = 60) -> OpenSearch:
    """A client for `where`, by default `address()`, with a `timeout` in seconds. Makes no request yet.

    It retries once if a connection is broken, as idle ones may be, and raises all other errors; see `with_retries` for
    more. Raises ClusterError if the credentials are contradictory or a file is missing.
    """
    there = where or address()
    if there.ca and not Path(there.ca).is_file():
        raise ClusterError(f"OPENSEARCH_CA names {there.ca}, where there is no file of certificates.")
    return OpenSearch(
        there.url,
        connection_class=Connection,
        serializer=OrjsonSerializer(),
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
    """Signs each request (AWS Signature Version 4) with the credentials found by botocore."""
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
