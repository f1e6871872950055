"""Which text of a tar is of which picture: dots in names, tars that are not sorted, links."""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.listing import listed, size

from lexel.pipeline.sources.source import open_source
from lexel.pipeline.sources.tars.tar_sample import tar_sample


def _tar(path: Path, members: Sequence[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def _pairs(*names: str) -> dict[str, set[str]]:
    sample = tar_sample(names)
    return {names[i]: {names[j] for j in texts.values()} for i, texts in sample.pictures.items()}


def test_a_text_called_as_a_picture_is_that_pictures_alone() -> None:
    assert _pairs("Scan 3.1.png", "Scan 3.1.txt", "Scan 3.2.png", "Scan 3.2.txt", "Scan 3.3.png") == {
        "Scan 3.1.png": {"Scan 3.1.txt"},
        "Scan 3.2.png": {"Scan 3.2.txt"},
        "Scan 3.3.png": set(),
    }


def test_files_of_one_sample_share_its_texts() -> None:
    assert _pairs("7.left.jpg", "7.right.jpg", "7.json") == {"7.left.jpg": {"7.json"}, "7.right.jpg": {"7.json"}}
    assert _pairs("7.left.jpg", "7.right.jpg", "7.caption.txt") == {
        "7.left.jpg": {"7.caption.txt"},
        "7.right.jpg": {"7.caption.txt"},
    }
    meta = _pairs("7.json", "7.left.jpg", "7.meta.json", "7.right.jpg", "7.txt")
    assert meta == {name: {"7.meta.json", "7.txt"} for name in ("7.left.jpg", "7.right.jpg")}
    assert _pairs("7.jpg", "7.mask.png", "7.mask.txt.txt") == {"7.jpg": {"7.mask.txt.txt"}}


def test_pictures_of_other_names_are_kept_whatever_their_kind() -> None:
    assert _pairs("v1.0.jpg", "v1.1.png", "v1.1.txt") == {"v1.0.jpg": set(), "v1.1.png": {"v1.1.txt"}}
    assert _pairs("7.depth.png", "7.jpg", "7.txt") == {"7.jpg": {"7.txt"}}


def test_a_text_without_its_picture_is_nobody_elses() -> None:
    sample = tar_sample(["2021.05.jpg", "2021.06.txt"])
    assert (dict(sample.pictures), sample.strays) == ({0: {}}, (1,))


@pytest.mark.parametrize("name", ["u.tar", "u.tgz"])
@pytest.mark.parametrize("stem", ["{:03d}", "set.{:03d}", "set.v{:03d}"])
def test_texts_after_all_pictures_find_theirs(tmp_path: Path, name: str, stem: str) -> None:
    stems = [stem.format(i) for i in range(150)]
    members = [(f"{s}.jpg", b"x") for s in stems] + [(f"{s}.txt", f"of {s}".encode()) for s in reversed(stems)]
    source = open_source(_tar(tmp_path / name, [*members, ("more.txt", b"nobody's")]))
    assert [item.captions for item in source.items()] == [(f"of {s}",) for s in stems]
    assert list(source.notes.sentences()) == [f"1 texts of {name} belong to no picture in it; the first is more.txt."]


@pytest.mark.parametrize("name", ["l.tar", "l.tgz"])
def test_a_link_is_a_picture_with_a_text_of_its_own(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as tar:
        for member, content in (("./in/a.jpg", b"one"), ("./in/b.txt", b"two")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for member, kind, leads in (
            ("./in/b.jpg", tarfile.LNKTYPE, "./in/a.jpg"),
            ("./c.jpg", tarfile.SYMTYPE, "in/b.jpg"),
            ("./out.jpg", tarfile.SYMTYPE, "../../etc/passwd"),
            ("./round.jpg", tarfile.SYMTYPE, "round.jpg"),
        ):
            link = tarfile.TarInfo(member)
            link.type, link.linkname = kind, leads
            tar.addfile(link)
    found = listed(path)
    assert [(i.uri, i.content(), i.captions, size(i)) for i in found] == [
        (f"{name}/./in/a.jpg", b"one", (), 3),
        (f"{name}/./in/b.jpg", b"one", ("two",), 3),
        (f"{name}/./c.jpg", b"one", (), 3),
    ]
    source = open_source(path)
    list(source.items())
    assert source.notes.warnings == [f"2 links of {name} lead out of it and were left out: ./out.jpg."]
