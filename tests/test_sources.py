"""Where items come from: folders, manifests, tars and text files, listed lazily and always alike."""

import gzip
import io
import itertools
import json
import os
import re
import sys
import tarfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import jpeg

from lexel.pipeline.errors import SourceError
from lexel.pipeline.items import MAX_BYTES, Item, chunks, read_file, readable
from lexel.pipeline.sources import open_source


def listed(path: Path, *, captions: bool = False) -> list[Item]:
    return list(open_source(path, captions=captions).items())


def uris(path: Path) -> list[str]:
    return [item.uri for item in listed(path)]


def refused(path: Path) -> str:
    """The one sentence with which a source is refused."""
    with pytest.raises(SourceError) as caught:
        listed(path)
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert ".." not in said.replace("../", "")
    return said


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Folders


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
        assert json.loads(item.listing())[0] == item.uri
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


def test_chunks_are_a_function_of_the_list(tmp_path: Path) -> None:
    for i in range(7):
        (tmp_path / f"{i}.jpg").write_bytes(b"x" * i)
    before = [chunk.digest() for chunk in chunks(listed(tmp_path), shard_size=3)]
    assert before == [chunk.digest() for chunk in chunks(listed(tmp_path), shard_size=3)]
    assert [len(chunk.items) for chunk in chunks(listed(tmp_path), shard_size=3)] == [3, 3, 1]
    (tmp_path / "4.jpg").write_bytes(b"another size")
    after = [chunk.digest() for chunk in chunks(listed(tmp_path), shard_size=3)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


# Manifests


def test_rows_of_one_picture_are_one_item(tmp_path: Path) -> None:
    """The form of Flickr8k's captions.txt."""
    (tmp_path / "Images").mkdir()
    (tmp_path / "Images" / "1.jpg").write_bytes(b"one")
    text = 'image,caption\nImages/1.jpg,A dog .\nImages/1.jpg,"Two, dogs"\nImages/1.jpg,A dog .\nImages/2.jpg,A cat .\n'
    found = listed(written(tmp_path / "captions.csv", text))
    assert [(item.uri, item.captions) for item in found] == [
        ("Images/1.jpg", ("A dog .", "Two, dogs")),
        ("Images/2.jpg", ("A cat .",)),
    ]
    assert found[0].content() == b"one"
    with pytest.raises(OSError, match="No such file"):
        found[1].content()


def test_csv_columns_become_what_they_are(tmp_path: Path) -> None:
    text = (
        "\ufeffid,path , caption,label,place,empty\r\n"
        '7,a.jpg,"[""a dog"", ""it\'s snow"", """"]",pets,"Århus\nDenmark",\r\n'
        "8,b.jpg,[not json],,,\r\n"
        "9,c.jpg\r\n"
    )
    one, two, three = listed(written(tmp_path / "m.csv", text))
    assert (one.id, one.uri, one.label, dict(one.metadata)) == ("7", "a.jpg", "pets", {"place": "Århus\nDenmark"})
    assert one.captions == ("a dog", "it's snow")
    assert (two.captions, two.label, dict(two.metadata)) == (("[not json]",), None, {})
    assert (three.uri, three.captions) == ("c.jpg", ())


def test_tsv(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.tsv", "filename\tcaption\na, b.jpg\tone, two\n"))
    assert (item.uri, item.captions) == ("a, b.jpg", ("one, two",))


def test_a_caption_longer_than_csv_likes(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.csv", f"image,caption\na.jpg,{'word ' * 60_000}\n"))
    assert len(item.captions[0]) == 299_999


def test_jsonl_types(tmp_path: Path) -> None:
    row = {
        "image": "a.jpg", "captions": ["one", None, " ", "two "], "label": 0, "n": 3, "x": 0.5, "ok": True, "no": None,
        "nested": {"b": [1, "é"]}, "list": ["p", "q"], "big": 2**70, "s": "",
    }  # fmt: skip
    (item,) = listed(written(tmp_path / "m.jsonl", f"\ufeff{json.dumps(row)}\n\n"))
    assert item.captions == ("one", "two")
    assert item.label == "0"
    assert dict(item.metadata) == {
        "n": 3, "x": 0.5, "ok": True, "nested": '{"b": [1, "é"]}', "list": '["p", "q"]', "big": 2.0**70,
    }  # fmt: skip
    assert orjson.dumps(dict(item.metadata))


def test_parquet_types(tmp_path: Path) -> None:
    day, moment = date(2021, 5, 1), datetime(2021, 5, 1, 10, 30)
    columns: dict[str, list[Any]] = {
        "uri": ["a.jpg", "b.jpg"],
        "captions": [["x", "y"], None],
        "label": ["cat", None],
        "nan": [float("nan"), float("inf")],
        "price": [Decimal("1.50"), None],
        "day": [day, None],
        "at": [moment, None],
        "blob": [b"\xff", None],
        "n": [2**63 - 1, None],
    }
    pq.write_table(pa.table(columns), tmp_path / "m.parquet")
    one, two = listed(tmp_path / "m.parquet")
    assert (one.captions, one.label) == (("x", "y"), "cat")
    assert dict(one.metadata) == {"price": 1.5, "day": "2021-05-01", "at": "2021-05-01T10:30:00", "n": 2**63 - 1}
    assert (two.captions, two.label, dict(two.metadata)) == ((), None, {})


def test_no_number_is_a_caption(tmp_path: Path) -> None:
    """An empty cell of a data frame comes out of Parquet as a NaN."""
    table = pa.table({"uri": ["a.jpg"], "caption": [float("nan")], "label": [float("nan")], "id": [float("nan")]})
    pq.write_table(table, tmp_path / "m.parquet")
    (item,) = listed(tmp_path / "m.parquet")
    assert (item.captions, item.label, item.id) == ((), None, None)


BROKEN: Mapping[str, tuple[str, str | bytes, list[str]]] = {
    "no column": ("m.csv", "picture;caption\na.jpg;x\n", ["m.csv", "row 1", "uri, image", "picture;caption"]),
    "an empty cell": ("m.csv", "image,caption\na.jpg,x\n,y\n", ["row 2", "'image' is empty"]),
    "no uri": ("m.jsonl", '{"image": "a"}\n{"caption": "b"}\n', ["row 2", "found caption"]),
    "pixels": ("m.jsonl", '{"image": {"bytes": "x"}}\n', ["row 1", "'image' should be a path", "dict"]),
    "not JSON": ("m.jsonl", '{"image": "a.jpg"}\n\n{"image": \n', ["m.jsonl", "line 3 is not JSON"]),
    "a list": ("m.jsonl", "[1]\n", ["line 1 is not an object"]),
    "not a number": ("m.jsonl", '{"image": "a.jpg", "x": NaN}\n', ["line 1 is not JSON"]),
    "half a letter": ("m.jsonl", '{"image": "\\ud800.jpg"}\n', ["line 1 is not JSON"]),
    "Latin-1": ("m.csv", b"image\ncaf\xe9.jpg\n", ["m.csv cannot be read as csv", "utf-8"]),
    "not Parquet": ("m.parquet", "image\n", ["m.parquet cannot be read as parquet"]),
    "no Parquet at all": ("m.parquet", "", ["m.parquet cannot be read as parquet"]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_manifest_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    name, text, words = BROKEN[kind]
    said = refused(written(tmp_path / name, text))
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
def test_an_empty_manifest_has_no_items(tmp_path: Path, name: str) -> None:
    assert listed(written(tmp_path / name, "")) == []


def test_what_a_manifest_names_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    rows = ["https://example.org/a.jpg", "../up.jpg", "nul\\u0000.jpg", "~nobody-of-this-name/a.jpg"]
    written(tmp_path / "up.jpg", b"up")
    (tmp_path / "in").mkdir()
    text = "".join(f'{{"image": "{row}"}}\n' for row in rows)
    web, up, nul, home = listed(written(tmp_path / "in" / "m.jsonl", text))
    with pytest.raises(OSError, match="https addresses are not fetched"):
        web.content()
    assert up.content() == b"up"
    for item in (nul, home):
        with pytest.raises((ValueError, RuntimeError)):
            item.content()


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_a_manifest_is_read_as_it_is_used(tmp_path: Path, name: str) -> None:
    """Of 200,000 rows, the first item needs the first few: what comes later is broken, and nobody notices."""
    path = tmp_path / name
    pictures = [f"{i}.jpg" for i in range(200_000)]
    match path.suffix:
        case ".csv":
            written(path, b"image\n" + "\n".join(pictures).encode() + b"\n\xff\xfe\n")
            read: Callable[[], object] = path.read_text
        case ".jsonl":
            written(path, "".join(f'{{"image": "{picture}"}}\n' for picture in pictures) + "{\n")
            read = partial(orjson.loads, path.read_bytes().splitlines()[-1])
        case _:
            table = pa.table({"image": pictures})
            pq.write_table(table, path, row_group_size=10_000, use_dictionary=False, compression="none")
            content = path.read_bytes()
            middle = content.index(b"150000.jpg")
            written(path, content[: middle - 60_000] + b"\xff" * 120_000 + content[middle + 60_000 :])
            read = partial(pq.read_table, path)
    with pytest.raises((ValueError, OSError)):
        read()
    found = open_source(path).items()
    assert [item.uri for item in itertools.islice(found, 3)] == pictures[:3]


# Tars


def _tar(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


SAMPLES = {
    "d/0001.jpg": jpeg(1),
    "d/0001.txt": "A dog – running\n".encode(),
    "d/0001.cls": b"3",
    "d/0001.json": b'{"url": "http://x", "n": 5, "label": "unused"}',
    "d/0002.json": b'{"caption": ["one", "two"], "label": 0, "none": null}',
    "d/0002.png": b"png",
    "d/0002.seg.png": b"a picture too",
    "d/0003.txt": b"no picture",
    "d/0004.JPG": b"upper",
    "d/0004.json": b"{broken",
    "d/._0005.jpg": b"what a Mac adds",
}


@pytest.mark.parametrize(("name", "mode"), [("s.tar", "w"), ("s.tar.gz", "w:gz"), ("s.tgz", "w:gz")])
def test_samples_of_a_tar(tmp_path: Path, name: str, mode: str) -> None:
    found = listed(_tar(tmp_path / name, SAMPLES, mode))
    assert [item.uri for item in found] == [
        f"{name}/d/{n}" for n in ("0001.jpg", "0002.png", "0002.seg.png", "0004.JPG")
    ]
    one, two, _, four = found
    assert (one.captions, one.label, dict(one.metadata)) == (("A dog – running",), "3", {"url": "http://x", "n": 5})
    assert (two.captions, two.label, dict(two.metadata)) == (("one", "two"), "0", {})
    assert [item.content() for item in found] == [SAMPLES[f"d/{item.uri.partition('/d/')[2]}"] for item in found]
    assert (four.captions, four.size) == ((), 5)
    assert listed(tmp_path / name) == found


def test_a_plain_and_a_compressed_tar_say_the_same(tmp_path: Path) -> None:
    plain, packed = listed(_tar(tmp_path / "s.tar", SAMPLES)), listed(_tar(tmp_path / "s.tgz", SAMPLES, "w:gz"))
    assert [(i.captions, i.label, i.metadata, i.content()) for i in plain] == [
        (i.captions, i.label, i.metadata, i.content()) for i in packed
    ]


def test_tars_in_a_folder_stand_among_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    _tar(tmp_path / "sub" / "b.tar", {"1.jpg": b"1", "2.jpg": b"2"})
    written(tmp_path / "a.jpg", b"a")
    assert uris(tmp_path) == ["a.jpg", "sub/b.tar/1.jpg", "sub/b.tar/2.jpg"]


def test_pictures_with_dots_in_their_names_are_all_there(tmp_path: Path) -> None:
    names = ["shot.2021-05-01.png", "shot.2021-05-02.png", "shot.3.png"]
    assert uris(_tar(tmp_path / "t.tar", {name: name.encode() for name in names})) == [f"t.tar/{n}" for n in names]


def test_nothing_of_a_tar_touches_the_disk(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    names = ["../escaped.jpg", "/tmp/lexel-absolute-escaped.jpg", "a/../../b.jpg"]
    path = _tar(inside / "evil.tar", dict.fromkeys(names, b"evil"))
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    assert [item.content() for item in listed(path)] == [b"evil"] * 3
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/lexel-absolute-escaped.jpg").exists()


def test_a_member_whose_name_is_not_unicode(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w", encoding="latin-1", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("é.jpg"))
    (item,) = listed(path)
    assert item.uri == "t.tar/\\udce9.jpg"
    assert item.listing()


@pytest.mark.parametrize("name", ["t.tar", "t.tar.gz"])
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.51, 0.9])
def test_a_truncated_tar_is_refused_in_one_sentence(tmp_path: Path, name: str, cut: float) -> None:
    members = {f"{i:03d}.jpg": os.urandom(1000) for i in range(40)}
    path = _tar(tmp_path / name, members, "w:gz" if name.endswith("gz") else "w")
    whole = path.read_bytes()
    used = len(whole) if name.endswith("gz") else 40 * 1536
    path.write_bytes(whole[: int(used * cut) + 100])  # within a header, for some of them
    assert refused(path).startswith(f"{name} is broken or not a tar: ")


def test_a_broken_header_in_a_tar_is_not_its_end(tmp_path: Path) -> None:
    path = _tar(tmp_path / "t.tar", {f"{i}.jpg": bytes([65 + i]) * 100 for i in range(5)})
    content = bytearray(path.read_bytes())
    content[2 * 1024 : 2 * 1024 + 300] = b"\xab" * 300
    path.write_bytes(bytes(content))
    assert "header at byte 2,048" in refused(path)


def test_a_compressed_tar_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = _tar(tmp_path / "t.tgz", {"1.jpg": b"1"}, "w:gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(bytes(content))
    assert "broken" in refused(path)


@pytest.mark.parametrize("content", [b"", b"x" * 2000, gzip.compress(b"x" * 2000)])
@pytest.mark.parametrize("name", ["t.tar", "t.tgz"])
def test_what_is_not_a_tar_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    assert "broken or not a tar" in refused(written(tmp_path / name, content))


# Texts


def test_a_text_file_has_an_item_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "t.txt", b"one dog\n\n  two \xff cats \r\nlast")
    source = open_source(path)
    assert source.captions
    assert [(i.uri, i.text) for i in source.items()] == [
        ("t.txt#1", "one dog"),
        ("t.txt#3", "two \ufffd cats"),
        ("t.txt#4", "last"),
    ]


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
