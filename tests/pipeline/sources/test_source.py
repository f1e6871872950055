"""Where items come from: folders and text files, listed always alike, whatever their files are called."""

import json
import os
import re
import sys
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from support.listing import listed, refused, written

from lexel.pipeline.sources.item import MAX_BYTES, Item, read_file, readable
from lexel.pipeline.sources.source import open_source


def test_a_folder_is_walked_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in (
        "b.jpg",
        "a/z.PNG",
        "a/b/c.webp",
        "c/d.tiff",
        "notes.txt",
        "x.mp4",
        ".hidden.jpg",
        ".git/e.jpg",
        "A.gif",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    source = open_source(tmp_path)
    found = list(source.items())
    assert [item.uri for item in found] == ["A.gif", "a/b/c.webp", "a/z.PNG", "b.jpg", "c/d.tiff"]
    assert [item.content() for item in found] == [item.uri.encode() for item in found]
    assert list(source.items()) == found
    assert (source.root, source.name) == (tmp_path, "")


ODD_NAMES = [
    "one two.jpg",
    "zwölf Ä.jpg",
    "日本.jpg",
    "line\nbreak.jpg",
    "quote\"'`.jpg",
    "tab\t.jpg",
    "%41+#?.jpg",
    "\U0001f415.jpg",
]


def test_odd_names_are_kept(tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_bytes(b"x")
    found = listed(tmp_path)
    assert sorted(item.uri for item in found) == sorted(ODD_NAMES)
    assert all((tmp_path / item.uri).read_bytes() == item.content() == b"x" for item in found)
    assert len({item.identify(b"x") for item in found}) == len(ODD_NAMES)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not Unicode")
def test_a_name_that_is_not_unicode_is_spelled_out(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"caf\xe9.jpg", b"caf\xea.jpg"):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(name)
    found = listed(tmp_path)
    assert [item.uri for item in found] == ["caf\\udce9.jpg", "caf\\udcea.jpg"]
    assert [item.content() for item in found] == [b"caf\xe9.jpg", b"caf\xea.jpg"]
    for item in found:
        assert len(item.key()) == 16
        assert orjson.loads(orjson.dumps(item.uri)) == item.uri
        assert pa.array([item.uri], pa.string())[0].as_py() == item.uri
        assert re.fullmatch("[0-9a-f]{32}", item.identify(b""))


def test_readable_leaves_unicode_alone() -> None:
    assert [readable(name) for name in ODD_NAMES] == ODD_NAMES


def test_links(tmp_path: Path) -> None:
    """A link to a picture is a picture; one to nothing is listed and fails alone; folders are not entered twice."""
    inside = tmp_path / "in"
    (inside / "sub").mkdir(parents=True)
    (inside / "a.jpg").write_bytes(b"a")
    (inside / "b.jpg").symlink_to(inside / "a.jpg")
    (inside / "gone.jpg").symlink_to(tmp_path / "nothing")
    (inside / "self.jpg").symlink_to(inside / "self.jpg")
    (inside / "sub" / "up").symlink_to(inside)
    found = {item.uri: item for item in listed(inside)}
    assert list(found) == ["a.jpg", "b.jpg", "gone.jpg", "self.jpg"]
    assert found["b.jpg"].content() == b"a"
    for broken in ("gone.jpg", "self.jpg"):
        with pytest.raises(OSError, match=r"No such file|Too many levels"):
            found[broken].content()


def test_a_pipe_does_not_hold_up_the_job(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (item,) = listed(tmp_path)
    with pytest.raises(OSError, match="not a regular file"):
        item.content()


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # takes no space
    with pytest.raises(OSError, match=r"1\.1 GB, too large"):
        read_file(path)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    assert "There is nothing at" in refused(tmp_path / "absent")
    assert ".csv" in refused(written(tmp_path / "a.docx", "x"))


def test_a_single_picture_is_a_source(tmp_path: Path) -> None:
    written(tmp_path / "other.jpg", b"other")
    (item,) = listed(written(tmp_path / "one.jpg", b"one"))
    assert (item.uri, item.content()) == ("one.jpg", b"one")


def test_ids_tell_copies_apart_and_move_with_the_folder(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        for name in ("a.jpg", "b.jpg"):
            (tmp_path / folder / name).write_bytes(b"same")
    ids = [[item.identify(item.content()) for item in listed(tmp_path / folder)] for folder in ("x", "y")]
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[0][1]


def test_a_file_that_changes_has_another_state(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jpg", b"x")
    before = listed(tmp_path)[0]
    known = before.state()
    assert known == before.state()
    written(path, b"another size")
    assert before.state() != known
    assert before.key() == listed(tmp_path)[0].key()


def test_what_a_source_says_of_an_item_is_told_apart() -> None:
    plain = Item("a.jpg")
    assert plain.described() == Item("b.jpg").described() == 0
    others = [Item("a.jpg", captions=("a",)), Item("a.jpg", label="a"), Item("a.jpg", metadata={"a": 1})]
    assert len({plain.described(), *(item.described() for item in others)}) == 4
    assert Item("a.jpg", metadata={"a": 1, "b": 2}).described() == Item("a", metadata={"b": 2, "a": 1}).described()


def test_a_text_is_an_item_of_its_own_and_so_is_a_further_one_of_a_name() -> None:
    items = [Item("a"), Item("a", text=""), Item("a", text="b"), Item("a", occurrence=1), Item("a", occurrence=2)]
    assert len({item.key() for item in items}) == 5


def test_a_text_file_has_an_item_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "t.txt", "\ufeffone dog\n\n  two é cats \r\nlast")
    source = open_source(path)
    assert source.captions
    assert [(i.uri, i.text) for i in source.items()] == [
        ("t.txt#1", "one dog"),
        ("t.txt#3", "two é cats"),
        ("t.txt#4", "last"),
    ]


def test_a_text_file_is_read_by_its_mark_or_refused(tmp_path: Path) -> None:
    text = "naïve\nœuvre\n"
    for encoding in ("utf-16", "utf-32", "utf-16-le"):
        found = listed(written(tmp_path / "t.txt", text.encode(encoding)))
        assert [item.text for item in found] == ["naïve", "œuvre"]
    assert refused(written(tmp_path / "old.txt", text.encode("cp1252"))).startswith("old.txt is not UTF-8")


def test_captions_are_items(tmp_path: Path) -> None:
    rows = [
        {"image": "a.jpg", "captions": ["one", "two", "one"], "label": "x", "n": 1},
        {"image": "b.jpg", "captions": []},
        {"image": "c.jpg", "captions": "three", "id": "C"},
    ]
    path = written(tmp_path / "m.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = listed(path, captions=True)
    assert [(i.uri, i.text, i.label, i.id) for i in found] == [
        ("a.jpg", "one", "x", None),
        ("a.jpg", "two", "x", None),
        ("c.jpg", "three", None, "C#0"),
    ]
    assert dict(found[0].metadata) == {"n": 1}
    ids = [item.identify((item.text or "").encode()) for item in found]
    assert len(set(ids)) == 3
    assert ids[2] == "C#0"
