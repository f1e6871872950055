"""Documents to OpenSearch in bulk: bounded requests, a few at once, tried again until they are in or refused for good.

The client library's `streaming_bulk` sends over one connection and by default retries nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.pipeline.errors import ClusterError

# Four megabytes keep a node busy and stay far below its limit of 100.
MAX_BYTES = 4 * 2**20
# Busy (429), and the node or its shard away for a while: trying again is right. Anything else is about the document.
_PASSING = {429, 500, 502, 503, 504}
# 10 tries, waiting 0.5 s at first and doubling to 30 s, give a node two and a half minutes to come back.
_TRIES = 10

Document = tuple[str, bytes]


@dataclass(frozen=True)
class Rejected:
    """A document that OpenSearch will never take, and why."""

    id: str
    reason: str
    document: bytes


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
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Sent]:
    """Index `documents` by id over `connections` connections. Raises ClusterError where OpenSearch stays away."""
    with ThreadPoolExecutor(connections) as pool:
        waiting: deque[Future[Sent]] = deque()
        try:
            for request in _requests(documents):
                waiting.append(pool.submit(_deliver, client, index, request, sleep))
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


def _deliver(client: OpenSearch, index: str, request: list[Document], sleep: Callable[[float], None]) -> Sent:
    left, rejected = request, list[Rejected]()
    for attempt in range(_TRIES):
        answer = _post(client, index, left)
        if answer is not None:
            left, refused = _sort(left, answer)
            rejected += refused
        if not left:
            return Sent(len(request) - len(rejected), tuple(rejected))
        sleep(min(0.5 * 2**attempt, 30))
    raise ClusterError(
        "OpenSearch stayed too busy or away for minutes; when it is well, the same command goes on from here."
    )


def _post(client: OpenSearch, index: str, request: list[Document]) -> list[dict[str, Any]] | None:
    """The answer's items, or None where the request as a whole should be tried again."""
    body = b"".join(b'{"index":{"_id":%b}}\n%b\n' % (orjson.dumps(id_), document) for id_, document in request)
    try:
        answer = client.transport.perform_request(
            "POST", f"/{index}/_bulk", body=body, headers={"content-type": "application/x-ndjson"}
        )
    except errors.SSLError:
        raise
    except errors.ConnectionError:
        return None
    except errors.TransportError as error:
        if error.status_code in _PASSING:
            return None
        raise
    items: list[dict[str, Any]] = [item["index"] for item in answer["items"]]
    return items


def _sort(request: list[Document], items: list[dict[str, Any]]) -> tuple[list[Document], list[Rejected]]:
    """The documents to send again, and those refused for good."""
    again, refused = [], []
    for (id_, document), item in zip(request, items, strict=True):
        if item["status"] in _PASSING:
            again.append((id_, document))
        elif item["status"] >= 300:
            refused.append(Rejected(id_, _reason(item["error"]), document))
    return again, refused


def _reason(error: Any) -> str:
    cause = error.get("caused_by") or {}
    return ": ".join(str(part) for part in (error.get("reason"), cause.get("reason")) if part)
