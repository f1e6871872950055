"""The way into Dashboards, tried on a small server that stands for it, and the facts that an index gives.

Dashboards itself cannot run here; what it takes is held by tests/mappings/test_dashboard_pack.py.
"""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.commands import lexel
from support.indices import Names
from support.synthetic import collection

from lexel.mappings.dashboard_pack import Facts, dashboards_pack
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.dashboards.saved_objects import import_saved_objects, ndjson
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards

PACK = dashboards_pack(Facts("photos", "http://127.0.0.1:8600", ("dog", "snow")))
NOBODY = Address("http://127.0.0.1:9")
IMPORT, SETTINGS = "/api/saved_objects/_import?overwrite=true", "/api/opensearch-dashboards/settings"


@dataclass
class Board:
    """A server that answers as Dashboards does, and remembers what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, path: str, status: int, body: Any) -> None:
        self.answers[path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())

    @property
    def imported(self) -> list[dict[str, Any]]:
        """The objects of the file in the first request."""
        _, headers, body = self.asked[0]
        whole = message_from_bytes(b"Content-Type: " + headers["content-type"].encode() + b"\n\n" + body)
        (part,) = whole.get_payload()
        assert part.get_param("name", header="content-disposition") == "file"  # type: ignore[union-attr]
        assert str(part.get_filename()).endswith(".ndjson")  # type: ignore[union-attr]
        lines = part.get_payload(decode=True).splitlines()  # type: ignore[union-attr]
        return [json.loads(line) for line in lines]


@pytest.fixture
def board() -> Iterator[Board]:
    it = Board()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            it.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, content = it.answers[self.path]
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.url = f"http://127.0.0.1:{server.server_port}"
        it.answer(IMPORT, 200, {"success": True, "successCount": len(PACK)})
        it.answer(SETTINGS, 200, {"settings": {}})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield it
        server.shutdown()
        thread.join()


def test_the_pack_is_imported_and_the_bar_ranks(board: Board) -> None:
    place = import_saved_objects(PACK, url=board.url + "/", where=NOBODY)
    assert place == f"{board.url}/app/dashboards#/view/lexel-photos-dashboard"
    assert [path for path, _, _ in board.asked] == [IMPORT, SETTINGS]
    assert all(headers["osd-xsrf"] == "true" for _, headers, _ in board.asked)
    assert board.imported == PACK
    changes = json.loads(board.asked[1][2])["changes"]
    assert changes == {"search:queryLanguage": "lucene", "defaultIndex": "lexel-photos"}


@pytest.mark.parametrize("in_url", [False, True])
def test_a_user_is_let_in_and_the_password_shown_to_nobody(board: Board, in_url: bool) -> None:
    where = NOBODY if in_url else Address("http://127.0.0.1:9", "ann", "s3cret")
    url = board.url.replace("//", "//ann:s3cret@") if in_url else board.url
    assert "s3cret" not in import_saved_objects(PACK, url=url, where=where)
    assert board.asked[0][1]["authorization"] == "Basic " + base64.b64encode(b"ann:s3cret").decode()
    board.answer(IMPORT, 500, {"message": "oh."})
    with pytest.raises(ClusterError, match=r"refused the request \(500\): oh\.$") as error:
        import_saved_objects(PACK, url=url, where=where)
    assert "s3cret" not in str(error.value)


def test_an_api_key_lets_in_too(board: Board) -> None:
    import_saved_objects(PACK, url=board.url, where=Address("http://127.0.0.1:9", api_key="k3y"))
    assert board.asked[0][1]["authorization"] == "ApiKey k3y"


MISSING = {
    "success": False,
    "successCount": 7,
    "errors": [{"id": "x", "type": "search", "title": "the pictures", "error": {"type": "missing_references"}}],
}


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"message": "Unauthorized"}, "refused the login"),
        (403, {"message": "no permissions"}, "may not change saved objects"),
        (503, b"OpenSearch Dashboards server is not ready yet", "not ready yet"),
        (302, b"", "is not Dashboards"),
        (200, b"<html>", "is not Dashboards"),
        (200, [], "is not Dashboards"),
        (404, {"message": "Not Found"}, r"\(404\): Not Found"),
        (200, MISSING, r"took 7 of \d objects, and not 'the pictures' \(missing references\)"),
        (200, {"success": False}, "took 0 of"),
    ],
)
def test_a_refusal_is_one_sentence(board: Board, status: int, body: Any, says: str) -> None:
    board.answer(IMPORT, status, body)
    with pytest.raises(ClusterError, match=says) as error:
        import_saved_objects(PACK, url=board.url, where=NOBODY)
    assert "\n" not in str(error.value)
    assert len(board.asked) == 1  # what is not imported is not made the default


@pytest.mark.parametrize("url", ["", "127.0.0.1", "ftp://127.0.0.1", "http://", "http://[::1", "localhost:5601"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ClusterError, match="is not an address"):
        import_saved_objects(PACK, url=url, where=NOBODY)


def test_nobody_there() -> None:
    with pytest.raises(ClusterError, match=r"does not answer at http://127\.0\.0\.1:9; see that it runs"):
        import_saved_objects(PACK, url="http://127.0.0.1:9", where=NOBODY)


def test_the_file_has_an_object_a_line() -> None:
    assert [json.loads(line) for line in ndjson(PACK).splitlines()] == PACK


def test_an_index_without_dates_and_words(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("bare")
    load_shards(collection(tmp_path / "a", count=5, terms=0).folder, index=index, client=client)
    found = index_facts(client, index, images="http://x")
    assert (found.date, found.words) == (None, ("dog", "snow"))


def test_an_index_that_is_none_of_pictures(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    with pytest.raises(ClusterError, match="There is no index nowhere"):
        index_facts(client, "nowhere", images="http://x")
    items, index = collection(tmp_path / "a", count=5), index_name("captions")
    job = items.folder / "job.json"
    job.write_text(job.read_text().replace('"captions": false', '"captions": true'))
    load_shards(items.folder, index=index, client=client)
    with pytest.raises(ClusterError, match="holds captions"):
        index_facts(client, index, images="http://x")


def test_the_command(client: OpenSearch, at_node: str, board: Board, tmp_path: Path, index_name: Names) -> None:
    index = index_name("commanded")
    load_shards(collection(tmp_path / "a", count=30, dated=True).folder, index=index, client=client)
    answer = lexel("dashboards", "install", "--index", index, "--url", board.url, "--images", "http://pictures")
    assert answer.returncode == 0, answer.stderr
    assert f"9 objects are in Dashboards: {board.url}/app/dashboards#/view/lexel-{index}-dashboard" in answer.stdout
    board.answer(IMPORT, 401, {})
    refused = lexel("dashboards", "install", "--index", index, "--url", board.url)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    file = str(tmp_path / "p.ndjson")
    written = lexel("dashboards", "install", "--index", index, "--images", "http://pictures", "--out", file)
    assert written.returncode == 0, written.stderr
    assert [json.loads(line) for line in (tmp_path / "p.ndjson").read_text().splitlines()] == board.imported
