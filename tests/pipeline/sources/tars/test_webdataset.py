"""WebDataset tars: samples and their files, and that a broken tar is never taken for a whole one."""

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.listing import listed, refused, size, uris, written
from support.making import jpeg

from lexel.pipeline.sources.source import open_source


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
    assert (four.captions, size(four)) == ((), 5)
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
    assert item.key()


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


@pytest.mark.parametrize("content", [b"", b"x" * 2000, gzip.compress(b"x" * 2000)], ids=["empty", "letters", "gzip"])
@pytest.mark.parametrize("name", ["t.tar", "t.tgz"])
def test_what_is_not_a_tar_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    assert "broken or not a tar" in refused(written(tmp_path / name, content))


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "p.tar", "w") as tar:
        for name, content in (("a.jpg", b"one"), ("b.jpg", b"two"), ("a.jpg", b"three"), ("a.jpg", b"four")):
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    found = listed(tmp_path / "p.tar")
    assert [(item.content(), item.occurrence) for item in found] == [
        (b"one", 0),
        (b"two", 0),
        (b"three", 1),
        (b"four", 2),
    ]
    assert len({item.key() for item in found}) == 4
    assert listed(tmp_path / "p.tar") == found


@pytest.mark.parametrize(
    ("members", "captions"),
    [
        (["1.jpg", "1.txt dog", "1.jpg", "1.txt cat"], ["dog", "cat"]),  # tars that were joined
        (["1.txt dog", "1.jpg", "1.txt cat", "1.jpg"], ["dog", "cat"]),
        (["1.jpg", "1.txt dog", "1.jpg"], ["dog", "dog"]),  # a newer picture was added
        (["1.jpg", "1.jpg", "1.txt dog"], ["dog", "dog"]),
        (["1.jpg", "1.txt dog", "1.txt cat"], ["cat"]),  # a text was corrected
    ],
)
def test_names_that_begin_again_are_further_samples(members: list[str], captions: list[str], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "joined.tar", "w") as tar:
        for name, content in ((name, text.encode()) for name, _, text in (one.partition(" ") for one in members)):
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    found = listed(tmp_path / "joined.tar")
    assert [(item.captions, item.occurrence) for item in found] == [((one,), i) for i, one in enumerate(captions)]


def test_a_large_tar_is_listed_in_little_memory(tmp_path: Path) -> None:
    def most(count: int) -> int:
        path = _tar(tmp_path / f"{count}.tar", {f"{i:08}.jpg": b"" for i in range(count)})
        tracemalloc.start()
        assert sum(1 for _ in open_source(path).items()) == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    most(10)  # what is imported once
    few, many = most(500), most(4_500)
    assert (many - few) / 4_000 < 24
