"""The errors of the OpenSearch client as a ClusterError with a message of one sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from opensearchpy import exceptions as errors

from lexel.pipeline.errors import ClusterError

# The first match counts, so subclasses come before their base class.
_SENTENCES: dict[type[Exception], str] = {
    errors.SSLError: "OpenSearch's certificate is not trusted; set OPENSEARCH_CA to the file of the CA that signed it.",
    errors.ConnectionTimeout: "OpenSearch did not answer in time; when it is less busy, give the same command again.",
    errors.ConnectionError: "OpenSearch does not answer; see that it runs and that OPENSEARCH_URL is right.",
    errors.AuthenticationException: (
        "OpenSearch refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD, or OPENSEARCH_API_KEY, anew."
    ),
}


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn the errors of the client library into a ClusterError."""
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
    """The permission that the security plugin reports as missing, in brackets, or nothing."""
    found = re.search(r"no permissions for \[([\w:/*, ]+)\]", _reason(error))
    return f" ({found[1]})" if found else ""


def _reason(error: errors.TransportError) -> str:
    info = error.info
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        causes = info["error"].get("root_cause") or [info["error"]]
        return str(causes[0].get("reason", info["error"].get("reason", ""))).rstrip(".")
    return str(error.error).rstrip(".")
