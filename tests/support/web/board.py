"""A small server that answers as OpenSearch Dashboards does, and remembers what it was asked."""

import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = "/app/dashboards"
IMPORT, SETTINGS = "/api/saved_objects/_import?overwrite=true", "/api/opensearch-dashboards/settings"


@dataclass(frozen=True)
class Asked:
    """One request, with the names of its headers in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Board:
    """Its address, its answers by method and path, and what it was asked; all else is not found."""

    url: str = ""
    answers: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, path: str, status: int, body: Any, *, method: str = "POST") -> None:
        self.answers[method, path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def allows(self, external_urls: bool | None) -> None:
        """Its page as a server sends it that has this `vis_type_vega.enableExternalUrls`, None without Vega."""
        vega = {"id": "visTypeVega", "plugin": {}, "config": {"enableExternalUrls": external_urls}}
        plugins = [{"id": "data", "plugin": {}, "config": {}}, *([vega] if external_urls is not None else [])]
        told = html.escape(json.dumps({"version": "2.19.1", "basePath": "", "uiPlugins": plugins}))
        page = f'<!DOCTYPE html><html><body><osd-injected-metadata data="{told}"></osd-injected-metadata></body></html>'
        self.answer(PAGE, 200, page.encode(), method="GET")

    def keeps(self, **settings: dict[str, Any]) -> None:
        """These settings of its users."""
        self.answer(SETTINGS, 200, {"settings": settings}, method="GET")

    @property
    def paths(self) -> list[tuple[str, str]]:
        return [(one.method, one.path) for one in self.asked]

    @property
    def changes(self) -> dict[str, str] | None:
        """The settings that it was told last, None if it was told none."""
        told = [one.body for one in self.asked if (one.method, one.path) == ("POST", SETTINGS)]
        return dict(json.loads(told[-1])["changes"]) if told else None

    @property
    def imported(self) -> list[dict[str, Any]]:
        """The objects of the file that it was sent last."""
        sent = [one for one in self.asked if one.path == IMPORT][-1]
        whole = message_from_bytes(b"Content-Type: " + sent.headers["content-type"].encode() + b"\n\n" + sent.body)
        (part,) = whole.get_payload()
        assert part.get_param("name", header="content-disposition") == "file"  # type: ignore[union-attr]
        assert str(part.get_filename()).endswith(".ndjson")  # type: ignore[union-attr]
        lines = part.get_payload(decode=True).splitlines()  # type: ignore[union-attr]
        return [json.loads(line) for line in lines]


@contextmanager
def serving_board() -> Iterator[Board]:
    """A server on a free port, new and with its defaults."""
    it = Board()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answered(b"")

        def do_POST(self) -> None:
            self._answered(self.rfile.read(int(self.headers["content-length"])))

        def _answered(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            it.asked.append(Asked(self.command, self.path, headers, body))
            nothing = json.dumps({"statusCode": 404, "error": "Not Found", "message": "Not Found"}).encode()
            status, content = it.answers.get((self.command, self.path), (404, nothing))
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.url = f"http://127.0.0.1:{server.server_port}"
        it.allows(False)
        it.keeps()
        it.answer(IMPORT, 200, {"success": True, "successCount": 1})
        it.answer(SETTINGS, 200, {"settings": {}})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()
