"""The map: alike items lie together, wherever and however often it is made."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.synthetic import DIM, collection, units

from lexel.pipeline.collection.tsne_map import TsneMap, load_or_make_map, tsne_layout
from lexel.pipeline.shards.folder import finished_shards

Floats = npt.NDArray[np.float32]


def clouds(count: int, *, each: int, seed: int = 0) -> Floats:
    """`count` clouds of `each` unit vectors [N, D], cloud by cloud."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(count, DIM)).repeat(each, axis=0)
    return units(centres + 0.3 * dice.normal(size=centres.shape))


def test_alike_items_lie_together() -> None:
    vectors = clouds(8, each=60)
    cloud = np.arange(8).repeat(60)
    landmarks = vectors[::2]
    places = TsneMap(landmarks, tsne_layout(landmarks)).of(vectors)
    assert places.min() >= 0
    assert places.max() <= 1
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    neighbours = np.argsort(distance, axis=1)[:, 1:11]
    assert (cloud[neighbours] == cloud[:, None]).mean() > 0.99


def test_a_landmark_lies_near_where_it_was_laid() -> None:
    landmarks = clouds(6, each=30)
    laid = tsne_layout(landmarks)
    found = TsneMap(landmarks, laid).of(landmarks)
    assert np.linalg.norm(found - laid, axis=1).mean() < 0.05


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_few_items_have_places_too(count: int) -> None:
    for vectors in (clouds(count, each=1), np.repeat(clouds(1, each=1), count, axis=0)):
        places = TsneMap(vectors, tsne_layout(vectors)).of(vectors)
        assert places.shape == (count, 2)
        assert np.isfinite(places).all()
        assert places.min() >= 0
        assert places.max() <= 1


def test_it_is_made_once_and_the_same_again(tmp_path: Path) -> None:
    items = collection(tmp_path / "a", count=120)
    there = finished_shards(items.folder)
    first = load_or_make_map(items.folder, there)
    assert len(first.landmarks) == 120
    mark = (items.folder / "map.parquet").stat().st_ino
    kept = load_or_make_map(items.folder, there)
    assert (items.folder / "map.parquet").stat().st_ino == mark
    (items.folder / "map.parquet").write_bytes(b"half")
    anew = load_or_make_map(items.folder, there)
    for other in (kept, anew):
        assert np.array_equal(first.landmarks, other.landmarks)
        assert np.array_equal(first.places, other.places)


def test_a_map_is_kept_until_there_are_twice_or_half_as_many_items(tmp_path: Path) -> None:
    items = collection(tmp_path / "a", count=250)
    there = finished_shards(items.folder)
    assert len(load_or_make_map(items.folder, there[:1]).landmarks) == 100
    assert len(load_or_make_map(items.folder, there[:2]).landmarks) == 100
    assert len(load_or_make_map(items.folder, there).landmarks) == 250
    assert len(load_or_make_map(items.folder, there[:2]).landmarks) == 250
    assert len(load_or_make_map(items.folder, there[:1]).landmarks) == 100


def test_shards_that_may_only_be_read_have_a_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = collection(tmp_path / "a", count=30)

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.replace", refuse)
    monkeypatch.setattr("os.link", refuse)
    assert len(load_or_make_map(items.folder, finished_shards(items.folder)).landmarks) == 30
    assert not (items.folder / "map.parquet").exists()


def test_the_landmarks_of_a_large_collection_are_a_sample_of_all_of_it(tmp_path: Path) -> None:
    items = collection(tmp_path / "a", count=1300, shard_size=500, terms=1)
    found = load_or_make_map(items.folder, finished_shards(items.folder))
    rows = [int(np.flatnonzero((items.vectors == landmark).all(axis=1))[0]) for landmark in found.landmarks]
    assert len(rows) == 1000
    assert rows == sorted(set(rows))
    assert min(rows) < 100
    assert max(rows) > 1200
