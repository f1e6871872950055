"""A node of the bench's own, what is sent to it without any client library, and the time that takes."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from opensearchpy import OpenSearch

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control


@contextmanager
def own_node(*, heap: str) -> Iterator[tuple[node_control.Node, OpenSearch]]:
    """A node that nobody else asks, gone at the end, and a client of it."""
    # Not below a folder that is closed to the account that the node runs under when we are root.
    with TemporaryDirectory(prefix="lexel-bench-node-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "node"
        try:
            node = node_control.start(home=home, heap=heap)
            yield node, connect(Address(node.url), timeout=600)
        finally:
            node_control.stop(home)


class Bare:
    """One open connection to a node, by Python's own HTTP client."""

    def __init__(self, node: node_control.Node) -> None:
        self._line = http.client.HTTPConnection(node.url.removeprefix("http://"), timeout=600)

    def ask(self, method: str, url: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        """The answer's bytes."""
        self._line.request(method, url, body, {"content-type": kind})
        answer = self._line.getresponse()
        content = answer.read()
        assert answer.status < 300, content[:500]
        return content

    def search(self, index: str, body: bytes) -> Any:
        """The hits, read from the answer as fast as that can be done."""
        return orjson.loads(self.ask("POST", f"/{index}/_search", body))["hits"]["hits"]


def send(node: node_control.Node, index: str, bodies: Sequence[bytes], *, connections: int = 2) -> None:
    """Bulk bodies that are ready, over so many connections."""
    left: SimpleQueue[bytes] = SimpleQueue()
    for body in bodies:
        left.put(body)
    errors: list[BaseException] = []
    threads = [threading.Thread(target=_empty, args=(Bare(node), index, left, errors)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _empty(bare: Bare, index: str, left: "SimpleQueue[bytes]", errors: list[BaseException]) -> None:
    try:
        while True:
            answer = bare.ask("POST", f"/{index}/_bulk?filter_path=errors", left.get_nowait(), "application/x-ndjson")
            assert answer == b'{"errors":false}', answer[:500]
    except Empty:
        pass
    except BaseException as error:
        errors.append(error)


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
