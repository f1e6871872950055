"""Who is let into Dashboards, and what is said where something else answers, on real and on small servers."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.drawn import Drawn
from support.serving import listening, served
from support.web.board import PAGE, SETTINGS, Board, serving_board

from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.dashboards_client import DashboardsClient
from lexel.pipeline.errors import ClusterError

NOBODY = Address("http://127.0.0.1:9")


@pytest.fixture
def board() -> Iterator[Board]:
    with serving_board() as it:
        yield it


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@pytest.mark.parametrize(
    ("login", "where", "sent"),
    [
        ("", Address("http://x", "ann", "s3cret"), "ann:s3cret"),
        ("ann:s3cret@", NOBODY, "ann:s3cret"),
        ("ann%40home:s%40cr%3Aet@", NOBODY, "ann@home:s@cr:et"),
        ("", Address("http://x", "ann", "s%40cret"), "ann:s%40cret"),  # only an address is quoted
        ("", Address("http://x", "ann", "geheimnisträger€"), "ann:geheimnisträger€"),
        ("ann@", Address("http://x", "bob", "b0b"), "ann:"),
    ],
)
def test_a_user_is_let_in_and_the_password_shown_to_nobody(board: Board, login: str, where: Address, sent: str) -> None:
    client = DashboardsClient(board.url.replace("//", f"//{login}"), where)
    client.get(SETTINGS)
    assert board.asked[0].headers["authorization"] == basic(sent)
    assert client.url == board.url
    board.answer(SETTINGS, 500, {"message": "oh."})
    with pytest.raises(ClusterError, match=r"refused the request \(500\): oh\.$") as error:
        client.post(SETTINGS, json={})
    assert "ann" not in str(error.value)


def test_an_api_key_lets_in_too(board: Board) -> None:
    DashboardsClient(board.url, Address("http://127.0.0.1:9", api_key="k3y")).get(SETTINGS)
    assert board.asked[0].headers["authorization"] == "ApiKey k3y"
    assert board.asked[0].headers["osd-xsrf"] == "true"


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
    ],
)
def test_a_refusal_is_one_sentence(board: Board, status: int, body: Any, says: str) -> None:
    board.answer(SETTINGS, status, body)
    with pytest.raises(ClusterError, match=says) as error:
        DashboardsClient(board.url, NOBODY).post(SETTINGS, json={})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1", "ftp://127.0.0.1", "http://", "http://[::1", "localhost:5601", "http://127.0.0.1:port"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ClusterError, match=r"--url .*is not an address; write it like http://127\.0\.0\.1:5601"):
        DashboardsClient(url, NOBODY)


def test_nobody_there() -> None:
    with pytest.raises(ClusterError, match=r"does not answer at http://127\.0\.0\.1:9; see that it runs"):
        DashboardsClient("http://127.0.0.1:9", NOBODY).external_urls()


@pytest.mark.parametrize(("said", "found"), [(True, True), (False, False), (None, False)])
def test_whether_charts_may_show_images_is_read_from_its_page(board: Board, said: bool | None, found: bool) -> None:
    board.allows(said)
    assert DashboardsClient(board.url + "/", NOBODY).external_urls() is found
    assert board.paths == [("GET", PAGE)]


def test_behind_a_page_to_log_in_by_that_is_not_known(board: Board) -> None:
    board.answer(PAGE, 302, b"", method="GET")
    assert DashboardsClient(board.url, NOBODY).external_urls() is None


def both(url: str) -> list[str]:
    """What is said of an address, as it is first asked and as it is sent something."""
    client, said = DashboardsClient(url, NOBODY), []
    for ask in (client.external_urls, lambda: client.post("/api/saved_objects/_import", fields={"file": "{}"})):
        with pytest.raises(ClusterError) as error:
            ask()
        said.append(str(error.value))
    return said


def test_opensearch_is_told_apart(at_node: str) -> None:
    wanted = f"What answers at {at_node.rstrip('/')} is OpenSearch; give the address of Dashboards by --url."
    assert both(at_node) == [wanted] * 2


@pytest.mark.parametrize("token", [None, "t0ken"])
def test_lexel_serve_is_told_apart(client: OpenSearch, drawn: Drawn, token: str | None) -> None:
    with listening(served(client, "drawn-images", token=token)) as url:
        for said in both(url):
            assert f"What answers at {url} is `lexel serve`, whose address is --images" in said


def test_a_missing_base_path_is_said(board: Board) -> None:
    board.answers.clear()
    for said in both(board.url):
        assert "server.basePath" in said
        assert f"like {board.url}/dashboards." in said
