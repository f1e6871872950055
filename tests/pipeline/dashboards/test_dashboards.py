"""The way into Dashboards, tried on a small server that stands for it, and the facts that an index gives.

Dashboards itself cannot run here; what it takes is held by tests/mappings/test_dashboard_pack.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.commands import lexel
from support.indices import Names
from support.synthetic import collection
from support.web.board import IMPORT, PAGE, SETTINGS, Board, serving_board

from lexel.mappings.dashboard_pack import Facts, dashboards_pack
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.dashboards_client import DashboardsClient
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.dashboards.run import install_dashboard
from lexel.pipeline.dashboards.saved_objects import Imported, import_saved_objects, ndjson
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards

PACK = dashboards_pack(Facts("photos", "http://127.0.0.1:8600", ("dog", "snow")))
NOBODY = Address("http://127.0.0.1:9")


@pytest.fixture
def board() -> Iterator[Board]:
    with serving_board() as it:
        yield it


def into(board: Board) -> Imported:
    return import_saved_objects(PACK, DashboardsClient(board.url + "/", NOBODY))


def test_the_pack_is_imported_and_the_bar_ranks(board: Board) -> None:
    found = into(board)
    assert found.url == f"{board.url}/app/dashboards#/view/lexel-photos-dashboard"
    assert board.paths == [("POST", IMPORT), ("GET", SETTINGS), ("POST", SETTINGS)]
    assert all(one.headers["osd-xsrf"] == "true" for one in board.asked)
    assert (board.imported, found.count) == (PACK, len(PACK))
    assert board.changes == {"search:queryLanguage": "lucene", "defaultIndex": "lexel-photos"}
    assert ["search:queryLanguage" in note for note in found.notes] == [True, False]
    assert "photos is the default index pattern" in found.notes[1]


def test_a_default_of_the_users_stays_and_both_are_said(board: Board) -> None:
    board.keeps(**{"defaultIndex": {"userValue": "theirs"}, "search:queryLanguage": {"userValue": "kuery"}})
    found = into(board)
    assert board.changes == {"search:queryLanguage": "lucene"}
    assert "it was kuery" in found.notes[0]
    assert "default index pattern stays what it was" in found.notes[1]


def test_what_is_so_already_is_neither_changed_nor_said(board: Board) -> None:
    board.keeps(**{"defaultIndex": {"userValue": "lexel-photos"}, "search:queryLanguage": {"userValue": "lucene"}})
    assert (into(board).notes, board.changes) == ([], None)


def test_what_the_server_prescribes_is_left(board: Board) -> None:
    board.keeps(
        **{
            "defaultIndex": {"userValue": "theirs", "isOverridden": True},
            "search:queryLanguage": {"userValue": "kuery", "isOverridden": True},
        }
    )
    assert len(into(board).notes) == 1
    assert board.changes is None


MISSING = {
    "success": False,
    "successCount": 7,
    "errors": [{"id": "x", "type": "search", "title": "the pictures", "error": {"type": "missing_references"}}],
}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (MISSING, r"took 7 of \d objects, and not 'the pictures' \(missing references\)"),
        ({"success": False}, "took 0 of"),
    ],
)
def test_an_object_that_is_refused_is_named(board: Board, body: Any, says: str) -> None:
    board.answer(IMPORT, 200, body)
    with pytest.raises(ClusterError, match=says):
        into(board)
    assert len(board.asked) == 1  # what is not imported is not made the default


def test_the_file_has_an_object_a_line() -> None:
    assert [json.loads(line) for line in ndjson(PACK).splitlines()] == PACK


@pytest.mark.parametrize(
    ("allows", "given", "images", "said"),
    [
        (False, None, False, "vis_type_vega.enableExternalUrls is off"),
        (True, None, True, None),
        ("unknown", None, False, "--external-urls says that it is"),
        ("unknown", True, True, None),
        (True, False, False, None),
    ],
)
def test_the_map_has_images_where_dashboards_allows_them(
    client: OpenSearch,
    board: Board,
    tmp_path: Path,
    index_name: Names,
    allows: bool | str,
    given: bool | None,
    images: bool,
    said: str | None,
) -> None:
    index = index_name("mapped")
    load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    if allows == "unknown":
        board.answer(PAGE, 302, b"", method="GET")
    else:
        board.allows(bool(allows))
    found = install_dashboard(client, index, where=NOBODY, url=board.url, external_urls=given)
    (plan,) = (saved for saved in board.imported if saved["id"].endswith("-map"))
    spec = json.loads(json.loads(plan["attributes"]["visState"])["params"]["spec"])
    assert ("image" in {mark["type"] for mark in spec["marks"]}) == images
    dots = [note for note in found.notes if "dots" in note]
    assert len(dots) == (said is not None)
    assert all(str(said) in note for note in dots)


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
    for said in ("search:queryLanguage", "defaultIndex", "enableExternalUrls"):
        assert said in answer.stdout
    plain = board.imported
    board.answer(IMPORT, 401, {})
    refused = lexel("dashboards", "install", "--index", index, "--url", board.url)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    for options in ([], ["--external-urls"]):
        file = tmp_path / "p.ndjson"
        written = lexel(
            *("dashboards", "install", "--index", index, "--images", "http://pictures", "--out", str(file)), *options
        )
        assert written.returncode == 0, written.stderr
        assert ([json.loads(line) for line in file.read_text().splitlines()] == plain) == (not options)


def test_several_indices_are_in_one_file(tmp_path: Path, client: OpenSearch, at_node: str, index_name: Names) -> None:
    both = index_name("first"), index_name("second")
    for name in both:
        load_shards(collection(tmp_path / name, count=10, dated=True).folder, index=name, client=client)
    file = tmp_path / "both.ndjson"
    options = [part for name in both for part in ("--index", name)]
    assert lexel("dashboards", "install", *options, "--out", str(file)).returncode == 0
    dashboards = [
        one["id"] for line in file.read_text().splitlines() if (one := json.loads(line))["type"] == "dashboard"
    ]
    assert dashboards == [f"lexel-{name}-dashboard" for name in both]
