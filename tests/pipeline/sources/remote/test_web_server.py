"""Manifests, tars and rows' pictures on a web server that fails, hangs, redirects and cuts what it sends."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.jobs import failures, run
from support.jobs import uris as encoded
from support.listing import written
from support.making import jpeg, random_encoder
from support.web.file_server import FileServer, file_server

from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.sources import item as item_module
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.remote_path import RemoteBytes
from lexel.pipeline.sources.source import Source, open_source
from lexel.pipeline.sources.tars.tar_members import _headers_elsewhere


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(file_systems, "_FIRST_PAUSE", 0.01)
    with file_server() as server:
        yield server


def opened(address: str) -> tuple[Source, list[Item]]:
    source = open_source(address)
    found = list(source.items())
    assert found == list(source.items())
    return source, found


def manifest(web: FileServer, *names: str) -> str:
    rows = "".join(json.dumps({"image": name, "caption": f"of {name}"}) + "\n" for name in names)
    web.files["set/m.jsonl"] = rows.encode()
    return f"{web.url}/set/m.jsonl"


def test_a_manifest_names_pictures_beside_itself_and_elsewhere(web: FileServer) -> None:
    names = ["in/a b%.jpg", "../up.jpg", "/top.jpg", f"{web.url}/other/x%20y.jpg?size=1"]
    for path in ("set/in/a b%.jpg", "up.jpg", "top.jpg", "other/x y.jpg"):
        web.files[path] = path.encode()
    source, found = opened(manifest(web, *names))
    assert [item.uri for item in found] == names
    assert [item.content().decode() for item in found] == ["set/in/a b%.jpg", "up.jpg", "top.jpg", "other/x y.jpg"]
    assert [item.captions for item in found] == [(f"of {name}",) for name in names]
    assert (str(source.root), source.name, str(source.place)) == (f"{web.url}/set", "m.jsonl", f"{web.url}/set/m.jsonl")
    assert web.asked["set/m.jsonl"] == 1  # both listings are of the same bytes


def test_a_path_written_on_windows(web: FileServer) -> None:
    web.files |= {"set/in/a.jpg": b"a", "set/in\\b.jpg": b"b"}
    _, found = opened(manifest(web, "in\\a.jpg", "in\\b.jpg", "in\\c.jpg"))
    assert [item.content() for item in found[:2]] == [b"a", b"b"]
    with pytest.raises(FileNotFoundError):
        found[2].content()


def test_a_table_here_names_pictures_elsewhere(web: FileServer, tmp_path: Path) -> None:
    web.files["a.jpg"] = b"a"
    table = written(tmp_path / "m.csv", f"url,caption\n{web.url}/a.jpg,one\n")
    (item,) = open_source(table).items()
    assert (item.content(), item.captions) == (b"a", ("one",))


def test_a_table_elsewhere_names_no_file_here(web: FileServer, tmp_path: Path) -> None:
    here = written(tmp_path / "a.jpg", b"secret")
    _, found = opened(manifest(web, here.as_uri(), f"local://{here}", str(here), "~/a.jpg"))
    for item in found:
        with pytest.raises(OSError, match=r"404|not read"):
            item.content()


@pytest.mark.parametrize("kind", ["fails", "cut"])
def test_what_passes_by_itself_is_tried_again(web: FileServer, kind: str) -> None:
    web.files["a.jpg"] = jpeg()
    getattr(web, kind)["a.jpg"] = 2
    assert RemoteBytes(f"{web.url}/a.jpg")() == jpeg()
    assert web.asked["a.jpg"] == 3


def test_what_does_not_is_given_up(web: FileServer) -> None:
    web.files["a.jpg"] = jpeg()
    web.fails["a.jpg"] = 99
    with pytest.raises(OSError, match="the server answers 503"):
        RemoteBytes(f"{web.url}/a.jpg")()
    assert web.asked["a.jpg"] == 4
    web.status["no.jpg"] = 403
    with pytest.raises(OSError, match="the server answers 403"):
        RemoteBytes(f"{web.url}/no.jpg")()
    assert web.asked["no.jpg"] == 1
    with pytest.raises(OSError, match=r"^nowhere\.invalid cannot be reached"):
        RemoteBytes("http://nowhere.invalid/a.jpg")()


def test_a_server_that_hangs_is_left_at_the_limit(web: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_REMOTE_SECONDS", "0.3")
    web.hangs.add("a.jpg")
    with pytest.raises(TimeoutError, match=r"not read within 0\.3 seconds"):
        RemoteBytes(f"{web.url}/a.jpg")()
    monkeypatch.setenv("LEXEL_REMOTE_SECONDS", "soon")
    with pytest.raises(ConfigError, match="give a number of seconds above 0"):
        RemoteBytes(f"{web.url}/a.jpg")()


def test_more_than_a_picture_is_not_read_to_its_end(web: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_module, "MAX_BYTES", 1 << 20)
    web.files["film.jpg"] = bytes(3 << 20)
    with pytest.raises(OSError, match="too large for a picture"):
        RemoteBytes(f"{web.url}/film.jpg")()


def test_a_job_lists_every_failure_and_tries_again_what_may_pass(
    web: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXEL_REMOTE_SECONDS", "2")
    good = [f"{i:02d}.jpg" for i in range(9)]
    bad = ["gone.jpg", "hangs.jpg", "page.jpg", "round.jpg"]
    for i, name in enumerate(good):
        web.files[f"set/{name}"] = jpeg(i)
    web.files["set/page.jpg"] = b"<!doctype html><title>Please log in</title>"
    web.circles.add("set/round.jpg")
    web.hangs.add("set/hangs.jpg")
    address, encoder = manifest(web, *good[:5], *bad, *good[5:]), random_encoder(tmp_path / "encoder")
    report = run(open_source(address), tmp_path / "out", encoder)
    assert (report.items, report.encoded, report.failed) == (13, 9, 4)
    assert encoded(tmp_path / "out") == good
    said = failures(tmp_path / "out")
    assert said.keys() == set(bad)
    assert said["gone.jpg"] == "unreadable: the server answers 404 Not Found"
    assert said["hangs.jpg"].startswith("unreadable: not read within 2 seconds")
    assert said["page.jpg"].startswith("not an image")
    assert said["round.jpg"].startswith("not a picture")
    web.files["set/gone.jpg"] = web.files["set/hangs.jpg"] = jpeg(77)
    web.hangs.clear()
    before = dict(web.asked)
    again = run(open_source(address), tmp_path / "out", encoder)
    assert (again.items, again.encoded, again.failed) == (13, 11, 2)
    assert sorted(encoded(tmp_path / "out")) == sorted([*good, "gone.jpg", "hangs.jpg"])
    fetched = {name for name, count in web.asked.items() if count > before.get(name, 0)}
    assert fetched == {"set/m.jsonl", "set/gone.jpg", "set/hangs.jpg"}


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
def test_a_tar_is_read_where_it_is(web: FileServer, tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as tar:
        for own, content in {"0.jpg": jpeg(0), "0.txt": b"zero", "a/1.jpg": jpeg(1), "2.jpg": b""}.items():
            member = tarfile.TarInfo(own)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    here = list(open_source(tmp_path / name).items())
    web.files[f"set/{name}"] = (tmp_path / name).read_bytes()
    source, found = opened(f"{web.url}/set/{name}")
    assert found == here
    assert [item.content() for item in found] == [item.content() for item in here]
    assert (str(source.root), source.name) == (f"{web.url}/set", name)
    web.ranges = False
    _headers_elsewhere.cache_clear()
    with pytest.raises(SourceError, match=r"the server sends no parts of a file; download it first\.$"):
        list(open_source(f"{web.url}/set/{name}").items())


def test_a_broken_tar_is_refused(web: FileServer) -> None:
    web.files["x.tar"] = b"no tar at all" * 100
    with pytest.raises(SourceError, match=r"x\.tar is broken or not a tar"):
        list(open_source(f"{web.url}/x.tar").items())


def test_what_is_not_there_or_no_source_is_said_in_a_sentence(web: FileServer) -> None:
    with pytest.raises(
        SourceError, match=r"^There is nothing at http.*/gone\.csv: the server answers 404 Not Found\.$"
    ):
        open_source(f"{web.url}/gone.csv")
    web.files["set/"] = web.files["set"] = b"<html><a href='a.jpg'>a.jpg</a></html>"
    with pytest.raises(SourceError, match=r"^A web server does not list its folders: give the address"):
        open_source(f"{web.url}/set/")
    with pytest.raises(SourceError, match=r"^A web server"):
        open_source(web.url)
    with pytest.raises(ConfigError, match=r"^wiki addresses are not read"):
        open_source("wiki://x/a.csv")


def test_a_single_picture_and_a_text_are_sources(web: FileServer) -> None:
    web.files |= {"a.jpg": jpeg(), "t.txt": b"one\ntwo\n"}
    _, (item,) = opened(f"{web.url}/a.jpg")
    assert (item.uri, item.content()) == ("a.jpg", jpeg())
    source, found = opened(f"{web.url}/t.txt")
    assert (source.captions, [item.text for item in found]) == (True, ["one", "two"])
