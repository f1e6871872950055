"""Patterns that say which pictures are taken."""

import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.listing import written

from lexel.pipeline.sources.selection import Selection
from lexel.pipeline.sources.source import open_source

URIS = ["a.jpg", "b.png", "new/a.jpg", "new/raw/c.jpg", "old/raw/d.png"]


@pytest.mark.parametrize(
    ("include", "exclude", "taken"),
    [
        ((), (), "01234"),
        (("*.png",), (), "14"),
        ((), ("raw",), "012"),
        ((), ("new/raw/",), "0124"),
        (("new", "old/*"), (), "234"),
        (("*.jpg",), ("new",), "0"),
        ((), ("**/a.jpg",), "134"),
        (("[ab].*",), (), "012"),
        (("A.JPG",), (), ""),
    ],
)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], taken: str) -> None:
    chosen = Selection(include, exclude)
    assert "".join(str(i) for i, uri in enumerate(URIS) if chosen.takes(uri)) == taken


def test_a_source_lists_what_is_taken(tmp_path: Path) -> None:
    for uri in URIS:
        (tmp_path / uri).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / uri, b"x")
    written(tmp_path / "m.csv", "image,caption\na.jpg,x\nnew/a.jpg,y\n")
    chosen = Selection(exclude=("new",))
    assert [i.uri for i in open_source(tmp_path, selection=chosen).items()] == ["a.jpg", "b.png", "old/raw/d.png"]
    texts = open_source(tmp_path / "m.csv", captions=True, selection=chosen)
    assert [i.text for i in texts.items()] == ["x"]


def test_folders_are_labels_on_request(tmp_path: Path) -> None:
    for uri in ("a.jpg", "train/dog/1.jpg", "train/dog/young/1.jpg", "train/cat/1.jpg"):
        (tmp_path / uri).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / uri, b"x")
    written(tmp_path / "train" / "cat" / "1.cls", "lion")
    written(tmp_path / "m.csv", "image\na.jpg\ntrain/dog/1.jpg\n../b.jpg\n")
    on_request = Selection(labels_from_folders=True)
    found = {item.uri: item for item in open_source(tmp_path, selection=on_request).items()}
    assert {uri: item.label for uri, item in found.items()} == {
        "a.jpg": None,
        "train/cat/1.jpg": "lion",
        "train/dog/1.jpg": "dog",
        "train/dog/young/1.jpg": "young",
    }
    assert [item.label for item in open_source(tmp_path / "m.csv", selection=on_request).items()] == [None, "dog", None]
    without = {item.uri: item for item in open_source(tmp_path).items()}
    assert {item.label for item in without.values()} == {None, "lion"}
    changed = [uri for uri in found if found[uri].described() != without[uri].described()]
    assert changed == ["train/dog/1.jpg", "train/dog/young/1.jpg"]  # shards that were made without are made again


def test_names_within_tars_and_tables_are_no_labels(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in ("1.jpg", "dog/2.jpg"):
            tar.addfile(tarfile.TarInfo(name))
    pq.write_table(pa.table({"image": [{"bytes": b"x", "path": "a.jpg"}]}), tmp_path / "y.parquet")
    on_request = Selection(labels_from_folders=True)
    assert [item.label for item in open_source(tmp_path / "x.tar", selection=on_request).items()] == [None, "dog"]
    assert [item.label for item in open_source(tmp_path / "y.parquet", selection=on_request).items()] == [None]
