"""The recipe of lexel-tiny runs from end to end: on a few made pictures, with teachers of random weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers as hf
from support import small_checkpoints
from support.checkout import ROOT
from support.making import photo_folder

from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.scenes import draw, scene


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Pictures, captions and teachers where the recipe looks for them, all very small."""
    data, models = tmp_path / "data", tmp_path / "models"
    captions = ["a dog runs in the snow", "two men and a woman sit on a bench", "a red car near the sea"]
    for name in ("flickr8k", "caltech101", "imagenet_sample"):
        photo_folder(data / name, count=6)
    rows = [{"image": f"{i:03d}.jpg", "captions": captions, "split": "train" if i < 4 else "val"} for i in range(6)]
    (data / "flickr8k/captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("caltech101", "imagenet_sample"):
        labels = [{"image": f"{i:03d}.jpg", "label": ("dog", "sailing_boat")[i % 2]} for i in range(6)]
        (data / name / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    torch.manual_seed(0)
    hf.MobileNetV2Model(hf.MobileNetV2Config(depth_multiplier=0.1)).save_pretrained(models / "mobilenet_v2")
    text = hf.BertConfig(
        vocab_size=320, hidden_size=384, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    hf.BertModel(text).save_pretrained(models / "all-MiniLM-L6-v2")
    small_checkpoints.word_pieces().save_pretrained(models / "all-MiniLM-L6-v2")
    return tmp_path


def step(name: str, *options: str | Path) -> str:
    words = [sys.executable, str(ROOT / "scripts" / "tiny" / f"{name}.py"), *map(str, options)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_steps_make_an_encoder(shared: Path, tmp_path: Path) -> None:
    told = step("teach", "--shared", shared, "--cache", tmp_path / "cache", "--scenes", "8")
    assert "flickr_train: 4 pictures, 6 views of each" in told
    assert "scenes: 8 pictures, 1 views of each" in told
    (tmp_path / "sentences.txt").write_text("a cat on a table\n")
    quick = (
        "--sentences",
        str(tmp_path / "sentences.txt"),
        "--minutes",
        "0.01",
        "--steps",
        "2",
        "--teacher-steps",
        "2",
    )
    told = step("train", "--cache", tmp_path / "cache", "--out", tmp_path / "out", *quick)
    encoder = open_encoder(str(tmp_path / "out"))
    assert encoder.fingerprint in told
    assert {"dog", "two"} <= set(encoder.vocabulary.terms)
    calibration = json.loads((tmp_path / "out/calibration.json").read_text())
    assert {name: set(sides) for name, sides in calibration.items()} == {
        name: {"text", "image"} for name in ("vector_weight", "least_cosine")
    }
    model = load_model(encoder, device="cpu")
    assert model.images(model.pixels(draw(scene(1)))[None]).vectors.shape == (1, 256)
    assert model.queries(["two dogs"]) == [{"two": 1.0, "dog": 1.0}]
