"""What the network makes no number of is a failure, and the rest is as it would be without it."""

from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from support.encoding.changing_collection import assert_same_items
from support.jobs import failures, rows, run, vectors
from support.making import photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.encoders.heads.head import LexiconHead
from lexel.encoders.model import Model
from lexel.encoders.runtime.device import batch_size
from lexel.pipeline.collection.tsne_map import TsneMap, tsne_layout, write_map
from lexel.pipeline.encode.reterm import reterm_shards
from lexel.pipeline.encode.workers import NO_NUMBER, lanes

WHITE = ("003.jpg", "004.jpg", "011.jpg")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """12 pictures, three of which are white."""
    folder = photo_folder(tmp_path / "photos", count=12)
    for name in WHITE:
        Image.new("RGB", (64, 48), "white").save(folder / name)
    return folder


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e30])
def test_features_that_are_no_numbers(
    photos: Path, tmp_path: Path, encoder: Encoder, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "right", encoder, exact=True)
    features = Model.features

    def broken(self: Model, batch: torch.Tensor) -> torch.Tensor:
        found = features(self, batch)
        white = batch.float().flatten(2).std(dim=2).amax(dim=1) < 1e-3
        return torch.where(white[:, None], wrong, found)

    monkeypatch.setattr(Model, "features", broken)
    report = run(photos, tmp_path / "out", encoder, exact=True)
    assert (report.encoded, report.failed) == (9, 3)
    assert failures(tmp_path / "out") == dict.fromkeys(WHITE, NO_NUMBER)
    write_map(tmp_path / "out")
    good = [row for row in rows(tmp_path / "right") if row["uri"] not in WHITE]
    assert np.allclose(vectors(rows(tmp_path / "out")), vectors(good), atol=1e-5)
    monkeypatch.undo()
    assert run(photos, tmp_path / "out", encoder, exact=True).new == 0
    assert run(photos, tmp_path / "out", encoder, exact=True, retry=True).encoded == 12
    assert_same_items(tmp_path / "out", tmp_path / "right")


def test_weights_that_are_no_numbers(
    photos: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "right", encoder)
    forward = LexiconHead.forward

    def broken(self: LexiconHead, features: torch.Tensor) -> torch.Tensor:
        found = forward(self, features)
        found[0, 0] = float("nan")
        return found

    monkeypatch.setattr(LexiconHead, "forward", broken)
    reterm_shards(tmp_path / "right", tmp_path / "out", encoder=encoder, device="cpu", batch_size=12)
    assert failures(tmp_path / "out") == dict.fromkeys(["000.jpg", "004.jpg", "008.jpg"], NO_NUMBER)
    assert len(rows(tmp_path / "out")) == 9


def test_old_vectors_that_are_no_numbers_have_a_place_on_the_map() -> None:
    landmarks = np.eye(8, dtype=np.float32)
    made = TsneMap(landmarks, tsne_layout(landmarks))
    places = made.of(np.array([[np.nan] * 8, [1] + [0] * 7], np.float32))
    assert np.isfinite(places).all()


@pytest.mark.parametrize(("memory", "expected"), [(8 * 10**9, 32), (80 * 10**9, 256)])
def test_a_large_gpu_gets_large_batches(memory: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=memory))
    assert batch_size(torch.device("cuda")) == expected
    assert batch_size(torch.device("cpu")) == 32


def test_each_lane_of_a_gpu_has_a_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = list[object]()
    monkeypatch.setattr(torch.cuda, "Stream", lambda on: (on, object()))
    monkeypatch.setattr(torch.cuda, "set_stream", chosen.append)
    both = Barrier(2)
    with lanes(2, torch.device("cuda:1")) as pool:
        list(pool.map(lambda _: both.wait(timeout=30), range(2)))
    assert len(set(chosen)) == 2
    assert {on for on, _ in chosen} == {torch.device("cuda:1")}  # type: ignore[misc]
