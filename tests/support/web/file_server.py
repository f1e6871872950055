"""A web server on this machine that serves files, and fails as the web does."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class FileServer:
    """What it serves by path, and how it fails: each field names paths without the leading slash."""

    files: dict[str, bytes] = field(default_factory=dict)
    fails: Counter[str] = field(default_factory=Counter)  # so many times 503 before it answers
    cut: Counter[str] = field(default_factory=Counter)  # so many times half of a file
    status: dict[str, int] = field(default_factory=dict)
    circles: set[str] = field(default_factory=set)  # redirects to themselves
    hangs: set[str] = field(default_factory=set)
    ranges: bool = True
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def __post_init__(self) -> None:
        self.over = threading.Event()


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A server on a free port."""
    about = FileServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            name = unquote(urlsplit(self.path).path).lstrip("/")
            about.asked[name] += 1
            if name in about.hangs:
                about.over.wait(60)
                self.close_connection = True
            elif name in about.circles:
                self._say(302, b"", {"Location": self.path})
            elif about.fails[name] > 0:
                about.fails[name] -= 1
                self._say(503, b"busy", {"Retry-After": "0"})
            elif name in about.status:
                self._say(about.status[name], b"no")
            elif name in about.files:
                self._file(name, about.files[name])
            else:
                self._say(404, b"nothing")

        def _file(self, name: str, content: bytes) -> None:
            wanted = self.headers.get("Range")
            if about.cut[name] > 0:
                about.cut[name] -= 1
                self._say(200, content[: len(content) // 2], {"Content-Length": str(len(content))})
                self.close_connection = True
            elif wanted and about.ranges:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                part = content[int(first) : int(last) + 1]
                end = int(first) + len(part) - 1
                self._say(206, part, {"Content-Range": f"bytes {first}-{end}/{len(content)}"})
            else:
                self._say(200, content)

        def _say(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """One that goes away before it has read everything is no mistake."""

    server = Server(("127.0.0.1", 0), Handler)
    about.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield about
    finally:
        about.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
