"""The towers learn from real pictures: what they were not shown comes out better than before, by each loss."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize

from lexel.encoders.image.backbones import TransformersBackbone
from lexel.encoders.text.gru import GruConfig, GruText
from lexel.encoders.text.text_models import TextModel
from lexel.encoders.text.word_vectors import WordTable, WordVectors
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.train.tasks.losses import hardest_triplet, info_nce, label_triplet

COUNT = 40


@pytest.fixture(scope="module")
def backbone(shared: Path) -> TransformersBackbone:
    return TransformersBackbone(shared / "models/mobilenet_v2")


def features(backbone: TransformersBackbone, paths: Sequence[Path]) -> Tensor:
    with torch.no_grad():
        return backbone(torch.stack([backbone.pixels(Image.open(path).convert("RGB")) for path in paths]))


@pytest.fixture(scope="module")
def captioned(shared: Path, backbone: TransformersBackbone) -> tuple[Tensor, list[list[str]]]:
    """Features of 40 photographs, and their five captions each."""
    folder = shared / "data/flickr8k"
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()[:COUNT]]
    return features(backbone, [folder / row["image"] for row in rows]), [row["captions"] for row in rows]


def train(tower: PairTower, features: Tensor, captions: list[list[str]], loss: Callable[[Tensor], Tensor]) -> None:
    learned = [p for name, p in tower.named_parameters() if not name.startswith("image.")]
    steps = torch.optim.Adam(learned, lr=2e-3)
    for step in range(96):
        scores = tower.image_vectors(features) @ tower.texts([five[step % 4] for five in captions]).T
        steps.zero_grad()
        loss(scores).backward()
        steps.step()


def found(tower: PairTower, features: Tensor, captions: list[list[str]]) -> float:
    """How often the picture is among the best five for its fifth caption, which training never sees."""
    with torch.inference_mode():
        scores = tower.texts([five[4] for five in captions]) @ tower.image_vectors(features).T
    best = scores.topk(5, dim=1).indices
    return float((best == torch.arange(COUNT)[:, None]).any(1).float().mean())


def gru(known: tuple[str, ...]) -> TextModel:
    return GruText(GruConfig(known, embedding=32, width=64))


def vectors(known: tuple[str, ...]) -> TextModel:
    return WordVectors(WordTable(known, torch.randn(len(known), 64)))


@pytest.mark.parametrize(
    ("text", "loss"),
    [(gru, hardest_triplet), (vectors, lambda scores: info_nce(scores / 0.07))],
    ids=["a GRU by hardest triplets", "word vectors by InfoNCE"],
)
def test_a_pair_learns_captions_that_it_was_not_shown(
    text: Callable[[tuple[str, ...]], TextModel], loss: Any, backbone: TransformersBackbone, captioned: Any
) -> None:
    torch.manual_seed(0)
    pictures, captions = captioned
    seen = Counter(word for five in captions for caption in five[:4] for word in words(caption))
    tower = PairTower(backbone, text(tuple(word for word, n in seen.items() if n > 1)), dim=64)
    before = found(tower, pictures, captions)
    train(tower, pictures, captions, loss)
    assert before < 0.3  # by chance it is 5 of 40
    assert found(tower, pictures, captions) > 0.4


def precision(vectors: Tensor, labels: Tensor) -> float:
    """How often the nearest other picture has the same label."""
    alike = vectors @ vectors.T - 2 * torch.eye(len(vectors))
    return float((labels[alike.argmax(1)] == labels).float().mean())


def test_pictures_of_a_label_draw_together_though_they_were_not_shown(
    shared: Path, backbone: TransformersBackbone
) -> None:
    folder = shared / "data/caltech101"
    rows = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    of: dict[str, list[Path]] = {}
    for row in rows:
        of.setdefault(row["label"], []).append(folder / row["image"])
    classes = [paths[:6] for paths in list(of.values())[::12]]
    every = features(backbone, [path for paths in classes for path in paths])
    labels = torch.arange(len(classes)).repeat_interleave(6)
    shown = torch.arange(len(labels)) % 6 < 3
    torch.manual_seed(0)
    net = nn.Linear(every.shape[1], 8)
    steps = torch.optim.Adam(net.parameters(), lr=3e-3)
    before = precision(normalize(net(every[~shown]), dim=1), labels[~shown])
    for _ in range(40):
        steps.zero_grad()
        label_triplet(normalize(net(every[shown]), dim=1), labels[shown], margin=0.5).backward()
        steps.step()
    assert precision(normalize(net(every[~shown]), dim=1), labels[~shown]) > before + 0.1
