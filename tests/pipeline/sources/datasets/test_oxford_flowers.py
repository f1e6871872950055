"""Oxford 102 Flowers as it is downloaded: numbers of classes in MATLAB's files, pictures in jpg/."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from support.listing import listed, refused, written

from lexel.pipeline.sources.source import open_source


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    (tmp_path / "jpg").mkdir()
    for number in range(1, 6):
        written(tmp_path / "jpg" / f"image_{number:05d}.jpg", b"x" * number)
    savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[77, 77, 1, 102, 1]], np.uint8)})
    splits = {"trnid": [[3, 1]], "valid": [[2]], "tstid": [[5, 4]]}
    savemat(tmp_path / "setid.mat", {name: np.array(ids, np.uint16) for name, ids in splits.items()})
    return tmp_path


def test_labels_and_splits_are_of_their_own_pictures(flowers: Path) -> None:
    source = open_source(flowers)
    found = list(source.items())
    assert source.kind == "Oxford 102 Flowers"
    assert [(i.uri, i.label, i.metadata["split"], i.content()) for i in found] == [
        ("jpg/image_00001.jpg", "77", "train", b"x"),
        ("jpg/image_00002.jpg", "77", "val", b"xx"),
        ("jpg/image_00003.jpg", "1", "train", b"xxx"),
        ("jpg/image_00004.jpg", "102", "test", b"xxxx"),
        ("jpg/image_00005.jpg", "1", "test", b"xxxxx"),
    ]
    assert not list(source.notes.sentences())
    assert found == list(source.items())


def test_names_beside_it_are_the_labels(flowers: Path) -> None:
    written(flowers / "cat_to_name.json", json.dumps({"77": "passion flower", "1": "pink primrose"}))
    assert [item.label for item in listed(flowers)] == [
        *["passion flower"] * 2,
        "pink primrose",
        "102",
        "pink primrose",
    ]


def test_what_is_missing_fails_and_what_is_more_is_said(flowers: Path) -> None:
    (flowers / "jpg" / "image_00002.jpg").unlink()
    written(flowers / "jpg" / "image_00099.jpg", b"")
    (flowers / "setid.mat").unlink()
    (flowers / "segmim").mkdir()
    source = open_source(flowers)
    found = list(source.items())
    assert [dict(item.metadata) for item in found] == [{}] * 5
    with pytest.raises(FileNotFoundError):
        found[1].content()
    assert list(source.notes.sentences()) == [
        "Skipped: 1 .jpg, 1 folder segmim",
        "setid.mat is not beside imagelabels.mat, so that no picture has a split.",
    ]


def test_broken_files_are_refused_in_a_sentence(flowers: Path) -> None:
    whole = (flowers / "imagelabels.mat").read_bytes()
    for content in (b"", b"no mat", whole[:150], whole[:-20]):
        written(flowers / "imagelabels.mat", content)
        assert refused(flowers).startswith("imagelabels.mat cannot be read as a MATLAB file")
    savemat(flowers / "imagelabels.mat", {"other": np.array([1])})
    assert refused(flowers) == "imagelabels.mat holds no 'labels': download it again."
    written(flowers / "imagelabels.mat", whole)
    written(flowers / "cat_to_name.json", "{")
    assert refused(flowers).startswith("cat_to_name.json cannot be read as json")
