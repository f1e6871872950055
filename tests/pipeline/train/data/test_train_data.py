"""What training reads: which pictures, which views of them, which captions in which batch, how often words stand."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support import making, training

from lexel.encoders import Encoder
from lexel.encoders.model import load_model
from lexel.pipeline.errors import SourceError
from lexel.pipeline.images.decode import decode
from lexel.pipeline.progress import QUIET
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.train.data.augment import view
from lexel.pipeline.train.data.image_features import merged, training_sets
from lexel.pipeline.train.data.splits import Splits, splits
from lexel.pipeline.train.data.text_features import text_features
from lexel.pipeline.train.data.training_set import TermCounts, TrainingSet


def captioned(uri: str, split: str | None = None) -> Item:
    return Item(uri, captions=(f"caption of {uri}",), metadata={} if split is None else {"split": split})


def uris(split: Splits) -> tuple[list[str], list[str]]:
    return [item.uri for item in split.train.items()], [item.uri for item in split.val.items()]


def test_a_column_says_which_pictures_are_learned_from() -> None:
    named = {"a": "train", "b": "Val", "c": "test", "d": "restval", "e": "VALIDATION", "f": None, "g": "extra"}
    found = splits(training.source(captioned(uri, split) for uri, split in named.items()))
    assert uris(found) == (["a", "d"], ["b", "e"])
    assert found.captioned


def test_without_a_column_a_tenth_is_held_back_by_its_name_alone() -> None:
    names = [f"images/{i}.jpg" for i in range(2000)]
    learned, judged = uris(splits(training.source(map(captioned, names))))
    assert sorted(learned + judged) == sorted(names)
    assert 140 < len(judged) < 260
    # Other pictures, another order and other captions change nothing.
    others = [Item(name, captions=("another",)) for name in reversed(names[500:1500])]
    assert set(uris(splits(training.source(others)))[1]) == set(judged) & set(names[500:1500])


def test_a_label_is_a_caption_where_there_is_none() -> None:
    rows = [("train", "sea_horse", ()), ("train", "ant", ("a black ant",)), ("train", None, ()), ("val", "ant", ())]
    items = [Item(str(i), label=label, captions=own, metadata={"split": s}) for i, (s, label, own) in enumerate(rows)]
    found = splits(training.source(items))
    assert [item.captions for item in found.train.items()] == [("sea horse",), ("a black ant",)]
    assert [item.label for item in found.train.items()] == ["sea_horse", "ant"]
    assert not splits(training.source(items[i] for i in (0, 3))).captioned
    # By labels only what has one is learned.
    assert uris(splits(training.source([*items, captioned("4", "train")]), labelled=True)) == (["0", "1"], ["3"])


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([], "no pictures with captions to learn from: there are too few of them"),
        ([captioned("a", "val")], "to learn from: no item has `split` train"),
        ([captioned("a", "train"), captioned("b", "test")], "to judge by: no item has `split` val"),
        ([Item("a"), Item("b")], "to learn from"),
        ([Item("a", text="a caption", captions=("a",))], "to learn from"),
    ],
)
def test_a_side_without_pictures_is_one_sentence(items: list[Item], says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        splits(training.source(items))
    assert "give more, or a column `split` that says train or val." in str(caught.value)


def test_a_view_is_a_crop_that_the_pictures_content_settles() -> None:
    picture = making.picture(3, (90, 60))
    assert view(0)(picture) is picture
    looks = [view(k)(picture) for k in range(1, 9)]
    assert len({look.tobytes() for look in looks}) == len(looks)
    assert all(0.35 * 5400 < look.width * look.height <= 5400 for look in looks)
    assert [view(k)(picture.copy()).tobytes() for k in range(1, 9)] == [look.tobytes() for look in looks]
    assert view(1)(Image.new("RGB", (1, 1))).size == (1, 1)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return making.random_encoder(tmp_path_factory.mktemp("encoder"))


def manifest(folder: Path, *, train: int = 6, val: int = 2, broken: tuple[int, ...] = ()) -> Path:
    """Pictures of which those in `broken` cannot be read, number i with i captions after the first."""
    making.photo_folder(folder / "images", count=train + val)
    rows = []
    for i in range(train + val):
        if i in broken:
            (folder / f"images/{i:03d}.jpg").write_bytes(b"no picture")
        captions = [f"picture {i} in words {j}" for j in range(1 + i % 3)]
        rows.append({"image": f"images/{i:03d}.jpg", "captions": captions, "split": "val" if i >= train else "train"})
    path = folder / "captions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path, encoder: Encoder, folder: Path, *, views: int = 2) -> tuple[TrainingSet, TrainingSet]:
    return training_sets(
        splits(open_source(path)),
        folder,
        encoder=encoder,
        views=views,
        batch_size=3,
        device="cpu",
        watch=training.listening().watch,
    )


def test_pictures_are_encoded_once_and_come_back_in_order(encoder: Encoder, tmp_path: Path) -> None:
    path = manifest(tmp_path)
    train, val = read(path, encoder, tmp_path / "work")
    assert (len(train), len(val), len(train.views), len(val.views)) == (6, 2, 2, 1)
    assert [train.texts[i] for i in range(*train.first[4:6])] == ["picture 4 in words 0", "picture 4 in words 1"]
    model = load_model(encoder, device="cpu")
    pictures = [decode((tmp_path / f"images/{i:03d}.jpg").read_bytes()).image for i in range(6)]
    for number, features in enumerate(train.views):
        expected = model.images(torch.stack([model.pixels(view(number)(picture)) for picture in pictures])).features
        assert np.allclose(features, expected, atol=2e-3)
    assert not np.array_equal(train.views[0], train.views[1])
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("shard-*.parquet")}
    assert len(before) == 3
    again, _ = read(path, encoder, tmp_path / "work")
    assert all(np.array_equal(one, other) for one, other in zip(train.views, again.views, strict=True))
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("shard-*.parquet")} == before
    # Another view costs that view; what is missing is encoded again, to the same features.
    (tmp_path / "work/train-view-1/shard-00000.parquet").unlink()
    more, _ = read(path, encoder, tmp_path / "work", views=3)
    assert all(np.array_equal(one, other) for one, other in zip(train.views, more.views[:2], strict=True))
    kept = (tmp_path / "work/train-view-0/shard-00000.parquet").stat().st_mtime_ns
    assert kept == before[tmp_path / "work/train-view-0/shard-00000.parquet"]


def test_a_picture_that_cannot_be_read_is_left_out(encoder: Encoder, tmp_path: Path) -> None:
    train, val = read(manifest(tmp_path, broken=(1, 6)), encoder, tmp_path / "work")
    assert (len(train), len(val)) == (5, 1)
    assert not any("picture 1 " in text for text in train.texts)
    assert train.owner.max() == 4


def test_a_picture_that_fails_in_one_view_is_seen_as_a_whole_there(encoder: Encoder, tmp_path: Path) -> None:
    path = manifest(tmp_path)
    complete, _ = read(path, encoder, tmp_path / "complete")
    picture = tmp_path / "images/002.jpg"
    os.utime(picture, (10**9, 10**9))
    read(path, encoder, tmp_path / "work", views=1)
    picture.write_bytes(b"x" * picture.stat().st_size)
    os.utime(picture, (10**9, 10**9))  # so that only the view that reads it anew sees the change
    train, _ = read(path, encoder, tmp_path / "work")
    assert np.array_equal(train.views[1][2], train.views[0][2])
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(train.views[1][others], complete.views[1][others])


def test_pictures_of_which_none_can_be_read_are_one_sentence(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"None of the images for val could be read; .*failures\.parquet") as caught:
        read(manifest(tmp_path, broken=(6, 7)), encoder, tmp_path / "work")
    assert "\n" not in str(caught.value)


def test_lessons_can_be_merged(encoder: Encoder, tmp_path: Path) -> None:
    train, val = read(manifest(tmp_path), encoder, tmp_path / "work", views=1)
    both = merged(train, val)
    assert (len(both), both.texts, len(both.labels)) == (8, train.texts + val.texts, 8)
    assert np.array_equal(both.owner[-len(val.texts) :], val.owner + 6)


captions_of_pictures = st.lists(st.lists(st.text("ab ", max_size=4), max_size=4).map(tuple), min_size=1, max_size=30)


@given(captions_of_pictures.filter(any), st.integers(1, 40), st.integers(0, 3), st.integers(0, 5), st.integers(1, 3))
def test_batches_are_a_function_of_seed_and_epoch(
    captions: list[tuple[str, ...]], size: int, seed: int, epoch: int, views: int
) -> None:
    made = training.lesson(captions, views=views)
    batches = list(made.batches(size=size, seed=seed, epoch=epoch))
    again = list(made.batches(size=size, seed=seed, epoch=epoch))
    assert len(batches) == made.steps(size)
    for batch, same in zip(batches, again, strict=True):
        assert torch.equal(batch.features, same.features)
        assert np.array_equal(batch.captions, same.captions)
        assert 1 <= len(batch.pictures) == len(set(batch.pictures)) <= size
        assert np.array_equal(made.owner[batch.captions], batch.pictures)


def test_every_caption_is_seen_about_once_an_epoch() -> None:
    made = training.lesson([tuple(f"{i} {j}" for j in range(5)) for i in range(101)], views=2)
    seen = Counter(row for epoch in range(20) for b in made.batches(size=40, seed=1, epoch=epoch) for row in b.captions)
    assert len(seen) == 505
    # 20 times each, less the two of 101 pictures that three equal batches leave out of a pass.
    assert np.mean(list(seen.values())) == pytest.approx(20 * 99 / 101)
    assert max(seen.values()) < 45
    first, second = ([b.captions.tolist() for b in made.batches(size=40, seed=1, epoch=e)] for e in (0, 1))
    assert first != second


def test_images_with_few_captions_are_drawn_as_often_as_they_have_captions() -> None:
    often, rare, many = ([tuple(f"{i} {j}" for j in range(count)) for i in range(200)] for count in (5, 1, 900))
    made = training.lesson([*often, *rare, many[0]])
    seen = Counter(row for b in made.batches(size=50, seed=1, epoch=3) for row in b.pictures)
    assert {seen[i] for i in range(200)} <= {4, 5}
    assert {seen[i] for i in range(200, 400)} <= {0, 1}
    assert seen[400] <= 5
    assert sum(seen.values()) == pytest.approx(200 * 5 + 200, rel=0.03)


def test_features_come_from_the_view_that_was_drawn() -> None:
    made = training.lesson([("a",)] * 8, views=3)
    rows, looks = np.array([3, 0, 7]), np.array([2, 0, 1])
    expected = [made.views[v][r].astype(np.float32) for r, v in zip(rows, looks, strict=True)]
    assert np.array_equal(made.features(rows, looks).numpy(), np.stack(expected))
    assert torch.equal(made.features(rows), made.features(rows, np.zeros(3, np.int64)))
    assert made.sample(100).shape == (8, 6)
    assert torch.equal(made.sample(3), made.features(np.array([0, 3, 6])))


@given(st.lists(st.sampled_from(["A dog", "a dog", "a cat", "", "a dog "]), max_size=8))
def test_equal_captions_mean_the_same(texts: list[str]) -> None:
    made = training.lesson([(text,) for text in texts] or [()])
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            assert (made.meaning[i] == made.meaning[j]) == (one.lower() == other.lower())


@given(st.data())
def test_counts_are_the_rows_of_a_dense_table(data: st.DataObject) -> None:
    known = making.vocabulary()
    texts = data.draw(st.lists(st.lists(st.sampled_from([*making.FORMS, "unknown"]), max_size=5).map(" ".join)))
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=9) if texts else st.just([])), np.int64)
    dense = np.array([[float(known.count(text).get(term, 0)) for term in known.terms] for text in texts])
    counts = TermCounts.of(texts, known)
    assert len(counts) == len(texts)
    assert np.array_equal(counts.rows(rows).numpy(), dense.reshape(-1, len(known))[rows])


def test_features_of_captions_are_computed_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def model(texts: tuple[str, ...] | list[str]) -> torch.Tensor:
        asked.extend(texts)
        return torch.tensor([[float(len(text)), float(text.count("a"))] for text in texts])

    texts = ["a" * (i % 7) + "b" for i in range(2100)]
    found = text_features(texts, tmp_path / "texts", model=model, progress=QUIET)
    assert found[:, 0].tolist() == [len(text) for text in texts]
    assert len(asked) == 2100
    assert not [p for p in (tmp_path / "texts").iterdir() if p.name.startswith(".")]
    (tmp_path / "texts/part-00001.npy").unlink()
    assert torch.equal(text_features(texts, tmp_path / "texts", model=model, progress=QUIET), found)
    assert len(asked) == 2100 + 52


def test_shards_of_features_name_the_features_and_not_the_words(tmp_path: Path, encoder: Encoder) -> None:
    """Encoders that differ in words alone share what was encoded."""
    read(manifest(tmp_path), encoder.for_features(), tmp_path / "work", views=1)
    assert read_job(tmp_path / "work/train-view-0").fingerprint == encoder.features_id
