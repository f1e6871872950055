"""The parts of an encoder before training and after it."""

import numpy as np
import torch

from lexel.encoders.errors import EncoderError
from lexel.encoders.heads import (
    AnyHead,
    CaptionWordsHead,
    ExpandHead,
    LabelsHead,
    LexiconHead,
    RegionHead,
    ZeroShotHead,
)
from lexel.encoders.regions import RegionBackbone
from lexel.encoders.towers import BentProjection, DualTower, PairTower
from lexel.encoders.vocabulary import Vocabulary
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.base import Base
from lexel.pipeline.train.heads import Trainable
from lexel.pipeline.train.lesson import Lesson
from lexel.pipeline.train.standard import Standard

AnyTower = PairTower | DualTower


def regions_of(tower: AnyTower) -> int:
    """How many regions a picture's features are of; 0 where they are of the whole."""
    backbone = tower.image if isinstance(tower, PairTower) else None
    return backbone.regions if isinstance(backbone, RegionBackbone) else 0


def trainable(kind: str, tower: AnyTower, terms: int) -> Trainable:
    """A new head of `kind` for the features of `tower`. Raises ConfigError where the two do not go together."""
    backbone = tower.image if isinstance(tower, PairTower) else None
    if isinstance(backbone, RegionBackbone):
        if kind != "lexicon":
            raise ConfigError(f"Regions of a picture cannot be read by the head {kind}; give `--head lexicon`.")
        return RegionHead(LexiconHead(features=backbone.width, terms=terms), regions=backbone.regions)
    features = tower.feature_dim or tower.dim
    if kind == "bce":
        return CaptionWordsHead(features=features, terms=terms)
    if kind == "expand":
        return ExpandHead(features=features, dim=tower.dim, terms=terms)
    return LexiconHead(features=features, terms=terms)


def untrained(kind: str, base: Base, vocabulary: Vocabulary, lesson: Lesson) -> AnyHead:
    """A head that needs no training: a classifier's labels, or the towers' own idea of each word."""
    if kind == "zeroshot":
        return ZeroShotHead.of(base.tower, vocabulary).calibrated(lesson.features(np.arange(len(lesson))))
    if base.image is None:
        raise ConfigError("The head labels needs the classifier's own features; give --encoder IMAGE+TEXT.")
    try:
        return LabelsHead.of(base.image, vocabulary)
    except EncoderError as error:
        raise ConfigError(str(error)) from error


def fold_head(head: Trainable, standard: Standard) -> None:
    """Make a head that learned on standardised features read the features themselves."""
    standard.fold_into((head.inner if isinstance(head, RegionHead) else head).logits)


@torch.no_grad()
def fold_tower(tower: PairTower, standard: Standard, text_std: float) -> None:
    """Make projections that learned on standardised features read the features themselves."""
    standard.fold_into(tower.image_projection)
    tower.text_projection.weight.div_(text_std)
    if isinstance(tower.text_projection, BentProjection):
        tower.text_projection.inner.weight.div_(text_std)
