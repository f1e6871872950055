"""The recipe of lexel-photo runs from end to end on a few made pictures, with the backbones that it is made of."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import ROOT
from support.making import photo_folder

from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.scenes import draw, scene

LABELS = ("tench", "goldfish", "great white shark", "zebra")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Pictures, captions and labels where the recipe looks for them."""
    data = tmp_path / "data"
    captions = ["a dog runs in the snow", "two men and a woman sit on a bench", "a red car near the sea"]
    for name in ("flickr8k", "caltech101", "imagenet_sample", "photos"):
        photo_folder(data / name, count=6)
    rows = [{"image": f"{i:03d}.jpg", "captions": captions, "split": "train" if i < 4 else "val"} for i in range(6)]
    (data / "flickr8k/captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    boats = [{"image": f"{i:03d}.jpg", "label": ("pizza", "sailing_boat")[i % 2]} for i in range(6)]
    (data / "caltech101/labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in boats))
    classes = [{"image": f"{i:03d}.jpg", "wnid": f"n{i:08d}", "label": label} for i, label in enumerate(LABELS)]
    (data / "imagenet_sample/labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in classes))
    (data / "coco_captions").mkdir()
    (data / "coco_captions/captions.txt").write_text("A giraffe eats from a tall tree.\n" * 5)
    return tmp_path


def step(name: str, *options: str | Path, home: Path) -> str:
    words = [sys.executable, str(ROOT / "scripts" / "photo" / f"{name}.py"), *map(str, options)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"LEXEL_HOME": str(home)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_steps_make_an_encoder(shared: Path, tmp_path: Path) -> None:
    given = ("--shared", shared, "--cache", tmp_path / "cache")
    told = step("features", *given, home=tmp_path)
    assert "flickr_train.view-0.npy: 4 pictures" in told
    told = step("train", *given, "--out", tmp_path / "out", "--epochs", "1", home=tmp_path)
    encoder = open_encoder(str(tmp_path / "out"))
    assert encoder.fingerprint in told
    assert "flickr_val: " in told
    # Words of captions, of sentences without pictures, and of labels.
    assert {"dog", "two", "giraffe", "zebra", "shark", "fish", "pizza", "boat"} <= set(encoder.vocabulary.terms)
    assert encoder.vocabulary.forms["zebras"] == "zebra"
    calibration = json.loads((tmp_path / "out/calibration.json").read_text())
    assert {name: set(sides) for name, sides in calibration.items()} == {
        name: {"text", "image"} for name in ("vector_weight", "least_cosine")
    }
    model = load_model(encoder, device="cpu")
    assert model.likely is not None
    assert model.images(model.pixels(draw(scene(1)))[None]).vectors.shape == (1, 512)
