"""Sends documents in concurrent bulk requests of bounded size, and retries until each is indexed or rejected.

The client's own `streaming_bulk` uses one connection, and does not retry by default.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.pipeline.cluster.retry import (
    MAX_SECONDS,
    MAX_TRIES,
    RETRYABLE_STATUS,
    Sleep,
    backoff,
    is_retryable,
    with_retries,
)
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.timings import timed

# Four megabytes keep a node busy and stay far below its limit of 100.
MAX_BYTES = 4 * 2**20
# The status code of a proxy with a limit below MAX_BYTES.
_TOO_LARGE = 413
# What is said of a document, or of a request because of one document in it.
_OF_CONTENT = (400, _TOO_LARGE)
# How a node says that its disk is full, and that it takes nothing until there is space.
_FULL = ("flood-stage watermark", "No space left on device")

# The rest, nine tenths of a response, is not used.
_ANSWER = "items.*.status,items.*.error"

Document = tuple[str, bytes]
# In the place of a document: that it is to be removed.
REMOVED = b""
Post = Callable[[list[Document]], list[dict[str, Any]]]


class GoneError(ClusterError):
    """The index was removed during loading."""


@dataclass(frozen=True)
class Rejected:
    """A document that OpenSearch rejected, with the reason."""

    id: str
    reason: str
    document: bytes
    of_content: bool


@dataclass(frozen=True)
class Sent:
    """The outcome of one bulk request: the number of indexed documents, and the rejected ones."""

    accepted: int
    rejected: tuple[Rejected, ...]


def send(
    client: OpenSearch,
    index: str,
    documents: Iterable[Document],
    *,
    connections: int = 2,
    require_alias: bool = False,
    sleep: Sleep = time.sleep,
) -> Iterator[Sent]:
    """Index `documents` by id over `connections` connections.

    With `require_alias`, `index` must be an alias; otherwise OpenSearch would recreate an index that was removed
    meanwhile, without its mapping. Raises ClusterError if OpenSearch stays unavailable or its disk is full, GoneError
    if the index was removed.
    """
    post = partial(_post, with_retries(client, sleep=sleep), index, require_alias)
    with ThreadPoolExecutor(connections) as pool:
        waiting: deque[Future[Sent]] = deque()
        over: list[ClusterError] = []
        try:
            for request in _requests(documents):
                waiting.append(pool.submit(_deliver, post, request, sleep, over))
                # One request more than connections, so that the next body is ready when a connection is free.
                if len(waiting) > connections:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _requests(documents: Iterable[Document]) -> Iterator[list[Document]]:
    request: list[Document] = []
    size = 0
    for document in documents:
        if request and size + len(document[1]) > MAX_BYTES:
            yield request
            request, size = [], 0
        request.append(document)
        size += len(document[1]) + 64
    if request:
        yield request


def _deliver(post: Post, request: list[Document], sleep: Sleep, over: list[ClusterError]) -> Sent:
    """Send until each document is indexed or rejected; an error is added to `over`, which ends the other requests."""
    try:
        return _until_in(post, request, sleep, over)
    except ClusterError as error:
        over.append(error)
        raise over[0] from error


def _until_in(post: Post, request: list[Document], sleep: Sleep, over: list[ClusterError]) -> Sent:
    left, rejected, reason, began = request, list[Rejected](), "", time.monotonic()
    for attempt in range(MAX_TRIES):
        if over or time.monotonic() - began > MAX_SECONDS:
            break
        with timed("cluster"):
            answer = post(left)
        left, refused, reason = _sort(left, answer)
        rejected += refused
        if not left:
            return Sent(len(request) - len(rejected), tuple(rejected))
        with timed("cluster"):
            sleep(backoff(attempt))
    raise over[0] if over else _gave_up(reason)


def _gave_up(reason: str) -> ClusterError:
    return ClusterError(
        f"OpenSearch was too busy or unavailable for minutes ({reason}); "
        "when it is available, run the same command to resume."
    )


def _post(client: OpenSearch, index: str, require_alias: bool, request: list[Document]) -> list[dict[str, Any]]:
    """Send one bulk request and return the items of the response."""
    # Joined at once, so that documents are not copied twice.
    body = b"".join(chain.from_iterable(_lines(id_, document) for id_, document in request))
    # Shorter than the client's timeout, so that the node can still report the reason. It is part of the URL because
    # the client interprets a parameter of this name itself.
    url = f"/{index}/_bulk?timeout=30s&filter_path={_ANSWER}" + ("&require_alias=true" if require_alias else "")
    kind = {"content-type": "application/x-ndjson"}
    try:
        answer = client.transport.perform_request("POST", url, body=body, headers=kind)
    except errors.TransportError as error:
        if error.status_code in _OF_CONTENT:
            return _halved(client, index, require_alias, request, error)
        if is_retryable(error):
            raise _gave_up(str(error.error).rstrip(".")) from error
        raise
    return [outcome for item in answer["items"] for outcome in item.values()]


def _lines(id_: str, document: bytes) -> tuple[bytes, ...]:
    if document == REMOVED:
        return b'{"delete":{"_id":', orjson.dumps(id_), b"}}\n"
    return b'{"index":{"_id":', orjson.dumps(id_), b"}}\n", document, b"\n"


def _halved(
    client: OpenSearch, index: str, require_alias: bool, request: list[Document], error: errors.TransportError
) -> list[dict[str, Any]]:
    if len(request) == 1:
        large = {"reason": "larger than OpenSearch, or a proxy before it, takes"}
        said = error.info.get("error") if isinstance(error.info, dict) else None
        reason = said if isinstance(said, dict) else {"reason": str(error.error)}
        return [{"status": error.status_code, "error": large if error.status_code == _TOO_LARGE else reason}]
    half = len(request) // 2
    return [item for part in (request[:half], request[half:]) for item in _post(client, index, require_alias, part)]


def _sort(request: list[Document], items: list[dict[str, Any]]) -> tuple[list[Document], list[Rejected], str]:
    """The documents to retry, those rejected, and the reason for the first of those to retry."""
    again, refused, reason = [], [], ""
    for (id_, document), item in zip(request, items, strict=True):
        if item["status"] < 300 or (document == REMOVED and "error" not in item):  # it is gone already
            continue
        why = _reason(item["error"])
        _check_fatal(item["error"].get("type", ""), why)
        # 404: a shard that is being restarted, on another node or after a full disk.
        if item["status"] in RETRYABLE_STATUS or item["status"] == 404:
            again.append((id_, document))
            reason = reason or why
        else:
            refused.append(Rejected(id_, why, document, item["status"] in _OF_CONTENT))
    return again, refused, reason


def _check_fatal(kind: str, reason: str) -> None:
    """Raise for errors of the index or the node that retrying does not fix."""
    if kind == "index_not_found_exception":
        raise GoneError("The index was removed during loading; find out by whom, then run the same command again.")
    if any(words in reason for words in _FULL):
        raise ClusterError("OpenSearch's disk is full; free some space, then run the same command to resume.")


def _reason(error: Any) -> str:
    cause = error.get("caused_by") or {}
    return ": ".join(str(part) for part in (error.get("reason"), cause.get("reason")) if part)
