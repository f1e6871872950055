"""A data set of the Hugging Face hub: a folder of Parquet, its classes' names in the schema or in the README."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.listing import listed, uris, written

from lexel.pipeline.sources.source import open_source

CLASSES = ["airplane", "bird", "cat"]
FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": CLASSES}}
README = """---
license: mit
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': airplane
          '1': bird
          '2': cat
---
# Birds
"""


def table(path: Path, labels: Sequence[int], *, named: bool = False, **more: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = [{"bytes": b"%d" % i, "path": f"{i}.png"} for i in range(len(labels))]
    made = pa.table({"image": picture, "label": list(labels), **more})
    about = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    pq.write_table(made.replace_schema_metadata(about) if named else made, path)
    return path


@pytest.mark.parametrize("by", ["schema", "readme"])
def test_classes_have_names_and_files_have_splits(tmp_path: Path, by: str) -> None:
    for name, labels in (
        ("train-00000-of-00002", [2, 0]),
        ("train-00001-of-00002", [1]),
        ("test-00000-of-00001", [-1]),
    ):
        table(tmp_path / "data" / f"{name}.parquet", labels, named=by == "schema")
    if by == "readme":
        written(tmp_path / "README.md", README)
    source = open_source(tmp_path)
    assert source.kind == "Parquet of the Hugging Face hub"
    assert [(i.uri, i.label, i.metadata["split"], i.content()) for i in source.items()] == [
        ("data/test-00000-of-00001.parquet/1/0.png", None, "test", b"0"),
        ("data/train-00000-of-00002.parquet/1/0.png", "cat", "train", b"0"),
        ("data/train-00000-of-00002.parquet/2/1.png", "airplane", "train", b"1"),
        ("data/train-00001-of-00002.parquet/1/0.png", "bird", "train", b"0"),
    ]
    assert not list(source.notes.sentences())
    assert listed(tmp_path) == listed(tmp_path)


def test_one_file_alone_has_the_names_too(tmp_path: Path) -> None:
    written(tmp_path / "README.md", README)
    assert [item.label for item in listed(table(tmp_path / "data" / "x.parquet", [1, 2]))] == ["bird", "cat"]


def test_a_configurations_own_names_count(tmp_path: Path) -> None:
    other = README.replace("dataset_info:\n  features", "dataset_info:\n- config_name: {}\n  features")
    first, second = (other.format(name) for name in ("small", "large"))
    both = first.partition("---\n# ")[0] + second.partition("dataset_info:\n")[2].replace("bird", "owl")
    written(tmp_path / "README.md", both)
    for config in ("small", "large"):
        table(tmp_path / config / "validation-00000-of-00001.parquet", [1])
    assert [(i.uri.partition("/")[0], i.label, i.metadata["split"]) for i in listed(tmp_path)] == [
        ("large", "owl", "val"),
        ("small", "bird", "val"),
    ]


@pytest.mark.parametrize("head", ["", "---\n[", "---\ndataset_info: 5", "---\ndataset_info:\n- 5"])
def test_a_readme_of_another_form_names_nothing(tmp_path: Path, head: str) -> None:
    written(tmp_path / "README.md", f"{head}\n---\n")
    table(tmp_path / "default" / "test" / "0000.parquet", [1])
    (item,) = listed(tmp_path)
    assert (item.label, item.metadata["split"]) == ("1", "test")


def test_ids_of_two_files_stay_two_pictures(tmp_path: Path) -> None:
    for name in ("train", "test"):
        table(tmp_path / f"{name}.parquet", [0, 1], id=["a", "b"], split=["mine", None])
    found = listed(tmp_path)
    assert [item.id for item in found] == [None] * 4
    assert [item.metadata["id"] for item in found] == ["a", "b", "a", "b"]
    assert [item.metadata["split"] for item in found] == ["mine", "test", "mine", "train"]
    assert len({item.identify(item.content()) for item in found}) == 4


def test_a_broken_file_fails_alone_and_other_files_are_said(tmp_path: Path) -> None:
    table(tmp_path / "data" / "a.parquet", [0])
    pq.write_table(pa.table({"score": [1]}), tmp_path / "data" / "scores.parquet")
    written(tmp_path / "data" / "b.parquet", table(tmp_path / "x.parquet", [0]).read_bytes()[:-30])
    (tmp_path / "x.parquet").unlink()
    written(tmp_path / "notes.txt", "")
    (tmp_path / "data" / "deep" / "deeper").mkdir(parents=True)
    written(tmp_path / ".gitattributes", "")
    source = open_source(tmp_path)
    found = list(source.items())
    assert [item.uri for item in found] == ["data/a.parquet/1/0.png", "data/b.parquet"]
    with pytest.raises(OSError, match=r"b\.parquet cannot be read as parquet"):
        found[1].content()
    assert list(source.notes.sentences()) == ["Skipped: 1 .parquet, 1 .txt, 1 folder deeper"]


def test_a_folder_of_pictures_with_a_table_stays_one(tmp_path: Path) -> None:
    written(tmp_path / "a.jpg", "")
    table(tmp_path / "m.parquet", [0])
    assert uris(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize("content", ["named", "broken"])
def test_a_table_that_holds_no_pictures_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "in").mkdir()
    written(tmp_path / "in" / "a.jpg", "")
    pq.write_table(pa.table({"image": ["a.jpg"]}), tmp_path / "m.parquet")
    if content == "broken":
        written(tmp_path / "m.parquet", (tmp_path / "m.parquet").read_bytes()[:-20])
    assert uris(tmp_path) == ["in/a.jpg"]
