"""Retries with exponential backoff while OpenSearch is busy or restarting: at most 16 tries or 180 seconds."""

import random
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from opensearchpy import OpenSearch, Urllib3HttpConnection
from opensearchpy import exceptions as errors
from urllib3.exceptions import NewConnectionError

# Busy (429), or a node or shard temporarily unavailable. Other codes are errors of the request.
RETRYABLE_STATUS = frozenset({429, 500, 502, 503, 504})
# With pauses from 0.5 s doubling up to 10 s, 16 tries give a node two minutes to restart.
MAX_TRIES = 16
# No further try after this time, for requests that each take a minute to fail.
MAX_SECONDS = 180.0
_FIRST, _LONGEST = 0.5, 10.0

Sleep = Callable[[float], None]


class BusyError(errors.TransportError):  # type: ignore[misc]  # the client library has no types
    """Status 429 or 503, with the seconds of a `Retry-After` header if there was one."""

    retry_after: float | None = None


class Connection(Urllib3HttpConnection):  # type: ignore[misc]
    """The client library's connection, but it keeps the `Retry-After` header, which the library drops."""

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
        """One request. Raises BusyError for 429 and 503."""
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
    return float(text) if text.isascii() and text.isdigit() else None  # OpenSearch never sends the date form


def is_retryable(error: Exception) -> bool:
    """Whether the error may be temporary: a RETRYABLE_STATUS, a connection error, or a truncated answer."""
    if isinstance(error, errors.SSLError):
        return False
    if isinstance(error, errors.ConnectionError | errors.SerializationError):
        return True
    return isinstance(error, errors.TransportError) and error.status_code in RETRYABLE_STATUS


def backoff(attempt: int, error: Exception | None = None) -> float:
    """Seconds to wait after try number `attempt`, from 0: `Retry-After` (at most a minute), else exponential."""
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return float(min(asked, 6 * _LONGEST))
    # Jitter, so that clients do not all retry at the same moment.
    return min(_FIRST * 2.0**attempt, _LONGEST) * random.uniform(0.75, 1.0)


class RetryingTransport:
    """Wraps a transport of the client library and repeats requests that fail temporarily."""

    def __init__(self, transport: Any, sleep: Sleep) -> None:
        self._transport, self._sleep = transport, sleep

    def perform_request(self, method: str, url: str, params: Any = None, **about: Any) -> Any:
        """Send the request, up to MAX_TRIES times while `is_retryable`. Raises the error of the last try."""
        began = time.monotonic()
        for attempt in range(MAX_TRIES):
            try:
                # A copy, since the transport removes its own parameters from it.
                return self._transport.perform_request(method, url, params=dict(params or {}), **about)
            except errors.OpenSearchException as error:
                if not is_retryable(error) or attempt == MAX_TRIES - 1 or time.monotonic() - began > MAX_SECONDS:
                    raise
                self._sleep(backoff(attempt, error))
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()


def check_reachable(client: OpenSearch) -> None:
    """Raise ConnectionError at once if nothing listens at the address, so that a wrong one is not retried."""
    try:
        client.transport.perform_request("HEAD", "/")
    except errors.TransportError as error:
        if isinstance(error.info, NewConnectionError):
            raise


def with_retries(client: OpenSearch, *, sleep: Sleep = time.sleep) -> OpenSearch:
    """A client that repeats requests while OpenSearch is busy or restarting, for about two minutes at most.

    Requests must be idempotent: one whose answer was lost is sent again.
    """
    if isinstance(client.transport, RetryingTransport):
        return client
    return OpenSearch(transport_class=lambda *_, **__: RetryingTransport(client.transport, sleep))
