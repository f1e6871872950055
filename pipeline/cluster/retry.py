"""Asking OpenSearch again where it is busy or away for a while: with growing pauses, and not for ever."""

import random
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from opensearchpy import OpenSearch, Urllib3HttpConnection
from opensearchpy import exceptions as errors
from urllib3.exceptions import NewConnectionError

# Busy (429), and the node or its shard away for a while: asking again is right. Anything else is about the request.
RETRYABLE_STATUS = frozenset({429, 500, 502, 503, 504})
# 16 tries, waiting 0.5 s at first and doubling to 10 s, give a node two minutes to come back.
MAX_TRIES = 16
# The same where each try takes a minute to fail: after so many seconds there is no further one.
MAX_SECONDS = 180.0
_FIRST, _LONGEST = 0.5, 10.0

Sleep = Callable[[float], None]


class BusyError(errors.TransportError):  # type: ignore[misc]  # the client library has no types
    """A refusal that names the seconds after which to ask again."""

    retry_after: float | None = None


class Connection(Urllib3HttpConnection):  # type: ignore[misc]
    """The client library's connection, which hears `Retry-After`; the library itself drops it."""

    def perform_request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        ignore: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; 429 and 503 raise `Busy`."""
        own = {429, 503} - set(ignore)
        status, answered, content = super().perform_request(
            method, url, params, body, timeout, ignore={*ignore, *own}, headers=headers
        )
        if status in own:
            try:
                self._raise_error(status, content, answered.get("content-type"))
            except errors.TransportError as error:
                busy = BusyError(*error.args)
                busy.retry_after = _seconds(answered.get("retry-after", ""))
                raise busy from error
        return status, answered, content


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None  # a date is the other kind; no node sends it


def is_retryable(error: Exception) -> bool:
    """Whether what went wrong may be over in a moment: busy, restarting, broken off in the middle of an answer."""
    if isinstance(error, errors.SSLError):
        return False
    if isinstance(error, errors.ConnectionError | errors.SerializationError):
        return True
    return isinstance(error, errors.TransportError) and error.status_code in RETRYABLE_STATUS


def backoff(attempt: int, error: Exception | None = None) -> float:
    """Seconds to wait after the `attempt`-th try, the first being 0; what the cluster asks for is heard."""
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return float(min(asked, 6 * _LONGEST))
    # Not all at the same moment, which would make a busy node busy again.
    return min(_FIRST * 2.0**attempt, _LONGEST) * random.uniform(0.75, 1.0)


class RetryingTransport:
    """A transport in front of another, which asks again."""

    def __init__(self, transport: Any, sleep: Sleep) -> None:
        self._transport, self._sleep = transport, sleep

    def perform_request(self, method: str, url: str, params: Any = None, **about: Any) -> Any:
        """Send the request, again and again while its failure may pass. Raises what the last try raised."""
        began = time.monotonic()
        for attempt in range(MAX_TRIES):
            try:
                # A copy: the transport takes out of it what is meant for itself.
                return self._transport.perform_request(method, url, params=dict(params or {}), **about)
            except errors.OpenSearchException as error:
                if not is_retryable(error) or attempt == MAX_TRIES - 1 or time.monotonic() - began > MAX_SECONDS:
                    raise
                self._sleep(backoff(attempt, error))
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Close the transport behind this one."""
        self._transport.close()


def check_reachable(client: OpenSearch) -> None:
    """Raise where nobody listens at all, which is said at once: an address that is wrong does not become right."""
    try:
        client.transport.perform_request("HEAD", "/")
    except errors.TransportError as error:
        if isinstance(error.info, NewConnectionError):
            raise


def with_retries(client: OpenSearch, *, sleep: Sleep = time.sleep) -> OpenSearch:
    """The same client, for work that waits until OpenSearch is well again, about two minutes at most.

    Each request must be one that can be made twice: one that was carried out and whose answer was lost is made again.
    """
    if isinstance(client.transport, RetryingTransport):
        return client
    return OpenSearch(transport_class=lambda *_, **__: RetryingTransport(client.transport, sleep))
