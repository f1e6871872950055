"""Documents to OpenSearch in bulk: bounded requests, a few at once, tried again until they are in or refused for good.

The client library's `streaming_bulk` sends over one connection and by default retries nothing.
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
# What a proxy says that takes less than MAX_BYTES.
_TOO_LARGE = 413
# What is said of a document, or of a request because of one document in it.
_OF_CONTENT = (400, _TOO_LARGE)
# How a node says that its disk is full, and that it takes nothing until there is space.
_FULL = ("flood-stage watermark", "No space left on device")

# Nine tenths of what a node says of a document that it took are of no use here.
_ANSWER = "items.*.status,items.*.error"

Document = tuple[str, bytes]
Post = Callable[[list[Document]], list[dict[str, Any]]]


class GoneError(ClusterError):
    """The index that documents go into is no longer there."""


@dataclass(frozen=True)
class Rejected:
    """A document that OpenSearch will never take, and why: for its content, or it refuses more than this one."""

    id: str
    reason: str
    document: bytes
    of_content: bool


@dataclass(frozen=True)
class Sent:
    """What became of one request's documents."""

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

    With `require_alias`, `index` must be an alias: an index that somebody removes meanwhile would be made anew by the
    next request, and without our mappings. Raises ClusterError where OpenSearch stays away or its disk is full, and
    GoneError.
    """
    post = partial(_post, with_retries(client, sleep=sleep), index, require_alias)
    with ThreadPoolExecutor(connections) as pool:
        waiting: deque[Future[Sent]] = deque()
        over: list[ClusterError] = []
        try:
            for request in _requests(documents):
                waiting.append(pool.submit(_deliver, post, request, sleep, over))
                # One more than is on its way, so that the next body is ready when a connection is.
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
    """Send until all is taken or refused. `over` is why one of the requests gave up, so that the others do as well."""
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
        f"OpenSearch stayed too busy or away for minutes ({reason}); "
        "when it is well, the same command goes on from here."
    )


def _post(client: OpenSearch, index: str, require_alias: bool, request: list[Document]) -> list[dict[str, Any]]:
    """The answer's items."""
    # Of whole lines each document would be copied once more.
    parts = [(b'{"index":{"_id":', orjson.dumps(id_), b"}}\n", document, b"\n") for id_, document in request]
    body = b"".join(chain.from_iterable(parts))
    # A shorter wait than the client's own, so that the node says what is wrong rather than nothing. It stands in the
    # address, because the client library takes a parameter of this name for its own.
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
    items: list[dict[str, Any]] = [item["index"] for item in answer["items"]]
    return items


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
    """The documents to send again, those refused for good, and why the first of the former was not taken."""
    again, refused, reason = [], [], ""
    for (id_, document), item in zip(request, items, strict=True):
        if item["status"] < 300:
            continue
        why = _reason(item["error"])
        _check_fatal(item["error"].get("type", ""), why)
        # A shard is not found for a moment while it begins anew, on another node or after its disk was full.
        if item["status"] in RETRYABLE_STATUS or item["status"] == 404:
            again.append((id_, document))
            reason = reason or why
        else:
            refused.append(Rejected(id_, why, document, item["status"] in _OF_CONTENT))
    return again, refused, reason


def _check_fatal(kind: str, reason: str) -> None:
    """What is wrong with the index or the node and with no document, and what waiting does not mend."""
    if kind == "index_not_found_exception":
        raise GoneError("The index was removed while it was loaded; see who did it, and give the same command again.")
    if any(words in reason for words in _FULL):
        raise ClusterError("OpenSearch's disk is full; when it has space again, the same command goes on from here.")


def _reason(error: Any) -> str:
    cause = error.get("caused_by") or {}
    return ": ".join(str(part) for part in (error.get("reason"), cause.get("reason")) if part)
