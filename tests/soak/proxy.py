"""A proxy between a client and OpenSearch that does what networks and busy clusters do, by chance."""

import contextlib
import http.client
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("429", "503", "502", "slow", "reset", "lost", "cut", "items")


@dataclass
class Faults:
    """How often which fault is chosen, which documents are never taken, and what has happened so far."""

    dice: random.Random
    share: float = 0.3  # of the requests
    kinds: Collection[str] = FAULTS
    poisoned: frozenset[str] = frozenset()  # ids that the cluster refuses for good
    seen: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str:
        """The fault of the next request, empty for none."""
        with self._lock:
            self.requests += 1
            kind = self.dice.choice(sorted(self.kinds)) if self.kinds and self.dice.random() < self.share else ""
            self.seen[kind or "none"] += 1
            return kind

    def some(self, count: int) -> list[bool]:
        """Half of `count` things, by chance."""
        with self._lock:
            return [self.dice.random() < 0.5 for _ in range(count)]


@contextmanager
def between(url: str, faults: Faults) -> Iterator[str]:
    """The address of a proxy before the node at `url`."""
    handler = type("Handler", (_Handler,), {"node": urlsplit(url).netloc, "faults": faults})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node: str
    faults: Faults

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.faults.next()
        if fault in {"429", "503", "502"}:
            after = {"retry-after": "0"} if fault != "502" else {}
            self._answer(int(fault), {"content-type": "application/json", **after}, b'{"error":"by chance"}')
        elif fault == "reset":
            self._hang_up()
        else:
            if fault == "slow":
                time.sleep(0.3)
            self._pass_on(body, fault)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815

    def _pass_on(self, body: bytes, fault: str) -> None:
        bulk = urlsplit(self.path).path.endswith("/_bulk")
        if bulk and (fault == "items" or self.faults.poisoned):
            status, headers, answer = self._bulk(body, busy=fault == "items")
        else:
            status, headers, answer = self._forward(body)
        if fault == "lost":
            self._hang_up()
        elif fault == "cut" and len(answer) > 1:
            self._answer(status, headers, answer, sent=len(answer) // 2)
            self._hang_up()
        else:
            self._answer(status, headers, answer)

    def _forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(self.node, timeout=60)
        with contextlib.closing(connection):
            kept = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection", "content-length"}}
            connection.request(self.command, self.path, body or None, kept)
            answer = connection.getresponse()
            return answer.status, {"content-type": answer.headers.get("content-type", "")}, answer.read()

    def _bulk(self, body: bytes, *, busy: bool) -> tuple[int, Mapping[str, str], bytes]:
        """Some documents reach the node; the others are answered for it, as too many or as refused."""
        lines = body.splitlines(keepends=True)
        pairs = [(json.loads(lines[i])["index"]["_id"], lines[i] + lines[i + 1]) for i in range(0, len(lines), 2)]
        late = self.faults.some(len(pairs)) if busy else [False] * len(pairs)
        poisoned = [id_ in self.faults.poisoned for id_, _ in pairs]
        taken = [pair[1] for pair, no, bad in zip(pairs, late, poisoned, strict=True) if not (no or bad)]
        answered = iter([])
        if taken:
            status, headers, answer = self._forward(b"".join(taken))
            if status != 200:
                return status, headers, answer
            answered = iter(json.loads(answer)["items"])
        items = [
            _refused(id_, 400, "poisoned") if bad else _refused(id_, 429, "too many") if no else next(answered)
            for (id_, _), no, bad in zip(pairs, late, poisoned, strict=True)
        ]
        text = json.dumps({"took": 1, "errors": True, "items": items}).encode()
        return 200, {"content-type": "application/json"}, text

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, *, sent: int | None = None) -> None:
        with contextlib.suppress(OSError):  # the client may have gone, killed by its own test
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[:sent])

    def _hang_up(self) -> None:
        self.close_connection = True
        # No goodbye, as from a machine that went away: the client sees a reset.
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)


def _refused(id_: str, status: int, reason: str) -> dict[str, object]:
    return {"index": {"_id": id_, "status": status, "error": {"type": "by_chance", "reason": reason}}}
