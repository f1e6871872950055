"""What a folder leaves out, and says; what cannot be read fails alone."""

import os
from pathlib import Path

import pytest
from support.jobs import failures, run
from support.jobs import uris as encoded
from support.listing import listed, refused, uris, written
from support.making import jpeg, random_encoder

from lexel.pipeline.sources.source import open_source


def _files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        written(root / name, jpeg(len(name)))


def test_what_is_not_read_is_counted_by_its_ending(tmp_path: Path) -> None:
    _files(tmp_path, "a.jpg", "b.MOV", "in/c.mov", "in/d.ai", "README", ".hidden")
    source = open_source(tmp_path)
    for _ in range(2):
        list(source.items())
        assert list(source.notes.sentences()) == ["Skipped: 2 .mov, 1 without an ending, 1 .ai"]


def test_what_devices_and_wastebaskets_keep_is_left_out_and_said(tmp_path: Path) -> None:
    _files(
        tmp_path, "a.jpg", "@__thumb/a.jpg", "in/System Volume Information/b.jpg", "$Recycle.Bin/x/c.jpg", "e@/d.jpg"
    )
    source = open_source(tmp_path)
    assert [item.uri for item in source.items()] == ["a.jpg", "e@/d.jpg"]
    (said,) = source.notes.sentences()
    assert "1 folder @__thumb" in said
    assert "1 folder System Volume Information" in said


def test_nothing_but_other_files_is_refused_by_what_they_are(tmp_path: Path) -> None:
    _files(tmp_path / "in", "a.blend", "b.blend")
    with pytest.raises(Exception, match=r"no pictures were found\. Skipped: 2 \.blend\."):
        run(tmp_path / "in", tmp_path / "out", random_encoder(tmp_path / "encoder"))


def test_a_folder_that_cannot_be_read_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "in"
    _files(root, "a.jpg", "locked/b.jpg", "z.jpg")
    whole = os.scandir

    def scandir(path: os.PathLike[str]) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = run(root, tmp_path / "out", random_encoder(tmp_path / "encoder"))
    assert encoded(tmp_path / "out") == ["a.jpg", "z.jpg"]
    assert failures(tmp_path / "out") == {"locked": "unreadable: Permission denied"}
    assert (report.items, report.encoded, report.failed) == (3, 2, 1)


def test_a_folder_that_is_the_source_and_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scandir(_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", scandir)
    assert "cannot be read: Permission denied" in refused(tmp_path)


def test_a_broken_tar_among_pictures_fails_alone(tmp_path: Path) -> None:
    _files(tmp_path, "a.jpg", "c.jpg")
    written(tmp_path / "b.tar", b"no tar at all" * 100)
    found = listed(tmp_path)
    assert uris(tmp_path) == ["a.jpg", "b.tar", "c.jpg"]
    with pytest.raises(OSError, match="broken or not a tar"):
        found[1].content()


def test_texts_of_a_pictures_name_are_its_own(tmp_path: Path) -> None:
    _files(tmp_path, "in/a.1.jpg", "in/a.2.jpg", "in/b.png", "c.jpg")
    written(tmp_path / "in" / "a.1.txt", "one")
    written(tmp_path / "in" / "b.json", '{"caption": ["two", "three"], "stars": 4, "x": NaN}')
    written(tmp_path / "in" / "b.cls", "5")
    written(tmp_path / "notes.txt", "nobody's")
    written(tmp_path / "c.json", "{broken")
    source = open_source(tmp_path)
    assert [(i.uri, i.captions, i.label, dict(i.metadata)) for i in source.items()] == [
        ("c.jpg", (), None, {}),
        ("in/a.1.jpg", ("one",), None, {}),
        ("in/a.2.jpg", (), None, {}),
        ("in/b.png", ("two", "three"), "5", {"stars": 4}),
    ]
    assert list(source.notes.sentences()) == ["Skipped: 1 .txt", "c.json is not JSON and was left out."]


def test_a_folder_for_each_class_is_its_label(tmp_path: Path) -> None:
    _files(tmp_path, "finch/1.jpg", "finch/2.jpg", "heron/1.jpg", "@eaDir/x/1.jpg", "README.md")
    found = listed(tmp_path)
    assert [(i.uri, i.label) for i in found] == [
        ("finch/1.jpg", "finch"),
        ("finch/2.jpg", "finch"),
        ("heron/1.jpg", "heron"),
    ]
    _files(tmp_path, "heron/young/1.jpg")
    assert {i.label for i in listed(tmp_path)} == {None}
