"""The dense vectors as a teacher for the sparse head, and the scale of their cosines."""

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
    """The dense encoder that a head is distilled from.

    `images` maps features [B, F] to unit vectors [B, D] by the matrix `projection` [D, F], None if the features are the
    vectors; `texts` [C, D] are the captions' unit vectors; `scale` multiplies cosines in a softmax.
    """

    images: Callable[[Tensor], Tensor]
    texts: Tensor
    scale: float
    projection: Tensor | None = None


@torch.no_grad()
def likeliest_scale(tower: PairTower | DualTower, data: TrainingSet, texts: Tensor) -> float:
    """The maximum-likelihood scale of cosines for the captions of `data`, with unit vectors `texts` [C, D].

    For towers without a learned scale, such as those trained with a margin.
    """
    rows = data.captioned[:1000]
    captions = data.first[rows]
    device = next(tower.parameters()).device
    cosines = tower.image_vectors(data.features(rows).to(device)).cpu() @ texts[captions].float().T
    same = torch.from_numpy(data.meaning[captions])
    alike = (same[:, None] == same[None]).float()
    return float(min(_SCALES, key=lambda scale: float(info_nce(cosines * float(scale), alike))))
