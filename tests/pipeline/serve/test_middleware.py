"""Who is let in by the server, how often, with how much, and what of this machine is never shown."""

import io
import os
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from PIL import Image
from support.drawn import Drawn
from support.making import jpeg
from support.serving import asking, served

from lexel.pipeline.errors import ConfigError, NotThereError
from lexel.pipeline.serve import image_files
from lexel.pipeline.serve.listen import address, is_loopback, listen
from lexel.pipeline.serve.middleware import COOKIE, Limits

ROOMY = Limits(rate=1000, burst=1000, body=1 << 20)


@pytest.fixture(scope="module")
def api(drawn: Drawn, client: OpenSearch) -> Iterator[TestClient]:
    with asking(served(client, "drawn-images", limits=ROOMY)) as made:
        yield made


def test_only_the_token_opens(drawn: Drawn, client: OpenSearch) -> None:
    with asking(served(client, "drawn-images", token="right-one", limits=ROOMY)) as api:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "right-one"},
            {"Cookie": f"{COOKIE}=x"},
        ):
            answer = api.get("/search", params={"q": "dog"}, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        assert api.get("/page/js/main.js").status_code == 401
        assert api.get("/metrics").status_code == 401
        assert api.get("/healthz").status_code == 200
        assert api.get("/", params={"token": "wrong"}).status_code == 401
        assert api.get("/search", params={"q": "dog"}, headers={"Authorization": "Bearer right-one"}).status_code == 200


def test_the_token_in_the_address_becomes_a_cookie(drawn: Drawn, client: OpenSearch) -> None:
    with asking(served(client, "drawn-images", token="right-one", limits=ROOMY)) as api:
        answer = api.get("/", params={"token": "right-one"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert api.get("/").status_code == 200
        assert api.get("/search", params={"token": "right-one"}, headers={"Cookie": ""}).status_code in {401, 422}


def test_another_sites_name_is_refused(api: TestClient) -> None:
    assert api.get("/search", headers={"Host": "evil.example:8600"}).status_code == 403
    assert api.get("/search", headers={"Host": "127.0.0.1:8600"}).status_code == 200


def test_too_many_questions_have_to_wait(drawn: Drawn, client: OpenSearch) -> None:
    with asking(served(client, "drawn-images", limits=Limits(rate=0.01, burst=3))) as api:
        codes = [api.get("/search", params={"mode": "words", "q": "dog"}).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        refused = api.get("/search")
        assert int(refused.headers["retry-after"]) > 0
        assert "again" in refused.json()["error"]


def test_an_explanation_counts_as_many_questions(drawn: Drawn, client: OpenSearch) -> None:
    with asking(served(client, "drawn-images", limits=Limits(rate=0.01, burst=12))) as api:
        asked = {"mode": "words", "q": "dog", "id": api.get("/search").json()["hits"][0]["id"]}
        assert [api.get("/explain", params=asked).status_code for _ in range(2)] == [200, 429]
        assert [api.get("/search").status_code for _ in range(2)] == [200, 429]


def test_large_bodies_are_refused_whether_or_not_they_say_how_large(api: TestClient) -> None:
    large = b"x" * (2 << 20)
    said = api.post("/search", files={"image": ("a.jpg", large)})
    unsaid = api.post("/search", content=iter([large[: 1 << 20], large]), headers={"content-type": "application/json"})
    form = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    streamed = api.post("/search", content=iter([head, large, b"\r\n--b--\r\n"]), headers=form)
    assert [answer.status_code for answer in (said, unsaid, streamed)] == [413, 413, 413]


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content", [bomb(), b"", b"GIF89a broken", jpeg()[:200], b"<svg/>"], ids=["bomb", "empty", "gif", "cut", "svg"]
)
def test_what_is_no_picture_is_refused_in_a_sentence(api: TestClient, content: bytes) -> None:
    answer = api.post("/search", files={"image": ("a.png", content)})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The image cannot be used: ")


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[1]", 422),
        ("text/plain", b"dog", 415),
        ("application/json", b"[" * 100_000, 400),
        ("multipart/form-data", b"x", 400),
    ],
)
def test_bodies_that_make_no_sense(api: TestClient, kind: str, content: bytes, status: int) -> None:
    answer = api.post("/search", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_nothing_is_fetched_for_a_client(api: TestClient) -> None:
    for asked in ({"image": "http://127.0.0.1:1/a.jpg"}, {"image": "/etc/passwd"}):
        assert api.post("/search", json={"q": "dog", **asked}).status_code == 422


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A collection's folder with a picture, and a secret beside it."""
    (tmp_path / "secret.jpg").write_bytes(jpeg(1))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(0))
    return folder


def test_the_original_of_an_item_is_its_file(root: Path) -> None:
    found = image_files.original(str(root), "a.jpg")
    with found.file:
        assert (found.kind, found.file.read()) == ("image/jpeg", (root / "a.jpg").read_bytes())
    assert Image.open(io.BytesIO(image_files.thumbnail(str(root), "a.jpg"))).size == (64, 48)


def test_no_path_leads_out_of_the_collection(root: Path) -> None:
    (root / "link.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "circle.jpg").symlink_to(root / "circle.jpg")
    (root / "up").symlink_to(root.parent)
    os.mkfifo(root / "pipe.jpg")
    (root / "notes.txt").write_text("a secret")
    (root / "page.jpg").write_text("<svg onload=alert(1)>")
    outside = [
        "../secret.jpg",
        str(root.parent / "secret.jpg"),
        "link.jpg",
        "up/secret.jpg",
        "circle.jpg",
        "/etc/passwd",
    ]
    for uri in [*outside, "pipe.jpg", "notes.txt", "page.jpg", "none.jpg", ".", "", "a.jpg\0", "x" * 5000]:
        with pytest.raises(NotThereError):
            image_files.original(str(root), uri)
        assert not image_files.exists(str(root), uri)
    for uri in outside:
        with pytest.raises(NotThereError):
            image_files.thumbnail(str(root), uri)


def test_addresses_with_dots_lead_nowhere(api: TestClient) -> None:
    for path in (
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/images/..%2f..%2fetc%2fpasswd/original",
    ):
        assert api.get(path).status_code == 404


def test_the_page_runs_only_its_own_scripts(api: TestClient) -> None:
    policy = api.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = api.get("/").text
    assert "http" not in page.replace("http-equiv", "")
    assert "style=" not in page


def test_the_door_is_this_machines_alone(tmp_path: Path) -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "example.com")))
    with listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        assert door.proto == socket.IPPROTO_TCP  # or asyncio lets small answers wait
        door.listen()
        assert address(door, "127.0.0.1", "t") == f"http://127.0.0.1:{port}/?token=t"
        with pytest.raises(ConfigError, match="--port"):
            listen("127.0.0.1", port)
