"""The dense pair as a teacher: what it makes of features and captions, and how sure its cosines are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lexel.encoders.towers import DualTower, PairTower
from lexel.pipeline.train.data.training_set import TrainingSet
from lexel.pipeline.train.tasks.losses import info_nce

_SCALES = np.geomspace(1, 200, 40)


@dataclass(frozen=True)
class DenseTeacher:
    """What a head learns from beside the captions.

    `images` turns features [B, F] into unit vectors [B, D] by the matrix `projection` [D, F], None where the features
    are the vectors; `texts` [C, D] are the captions' unit vectors, `scale` what cosines are multiplied by in a softmax.
    """

    images: Callable[[Tensor], Tensor]
    texts: Tensor
    scale: float
    projection: Tensor | None = None


@torch.no_grad()
def likeliest_scale(tower: PairTower | DualTower, lesson: TrainingSet, texts: Tensor) -> float:
    """The scale of cosines under which the captions of `lesson`, with unit vectors `texts` [C, D], are likeliest.

    A dual encoder from elsewhere, or one trained with a margin, says nothing of how its cosines are to be read.
    """
    rows = lesson.captioned[:1000]
    captions = lesson.first[rows]
    device = next(tower.parameters()).device
    cosines = tower.image_vectors(lesson.features(rows).to(device)).cpu() @ texts[captions].float().T
    same = torch.from_numpy(lesson.meaning[captions])
    alike = (same[:, None] == same[None]).float()
    return float(min(_SCALES, key=lambda scale: float(info_nce(cosines * float(scale), alike))))
