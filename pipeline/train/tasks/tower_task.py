"""The task of training a pair's projections, so that images are close to their captions or to others of their label."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, normalize

from lexel.encoders.runtime.precision import fast
from lexel.encoders.towers import PairTower
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import Batch, Rows, TrainingSet
from lexel.pipeline.train.tasks.head_task import figures_of
from lexel.pipeline.train.tasks.loop import Figures
from lexel.pipeline.train.tasks.losses import hardest_triplet, info_nce, label_triplet
from lexel.pipeline.train.tasks.recall import recalls
from lexel.pipeline.train.tasks.schedule import Schedule

Loss = Literal["infonce", "vse", "labels"]


_SCHEDULE = Schedule(epochs=16, batch=1000, rate=2e-3, decay=0.05)


@dataclass(frozen=True)
class TowerRecipe:
    """The hyperparameters of training a pair's projections.

    Losses: "infonce" (CLIP's), "vse" (VSE++'s, with the hardest negatives) or "labels" (triplets of images by label).
    With a few thousand images, a strong `dropout` of the image features is needed against overfitting.
    """

    loss: Loss = "infonce"
    schedule: Schedule = _SCHEDULE
    dropout: float = 0.7
    text_dropout: float = 0.1
    margin: float = 0.2


@dataclass(frozen=True)
class Texts:
    """The captions of a split, and their text features `kept` [C, T] if the text side is frozen."""

    texts: Sequence[str]
    kept: Tensor | None

    def features(self, model: nn.Module, rows: Rows, device: torch.device) -> Tensor:
        """Text features [B, T] of captions `rows`: the cached ones, or computed by `model`."""
        if self.kept is not None:
            return self.kept[rows].to(device).float()
        made: Tensor = model([self.texts[row] for row in rows])
        return made.float()


class _Aligned(nn.Module):
    """The trained parts of a pair (projections, and the text side if it is trained) and the scale of its cosines."""

    def __init__(self, pair: PairTower) -> None:
        super().__init__()
        self.image_projection, self.text_projection = pair.image_projection, pair.text_projection
        # A frozen text side is omitted: its features are cached, and its weights need no averaging.
        self.text = pair.text if isinstance(pair.text, nn.Module) and pair.text.learned else nn.Identity()
        self.log_scale = nn.Parameter(torch.tensor(math.log(20.0)))


def _aligned(module: nn.Module) -> _Aligned:
    """`module` with its type checked: the task's own module, or the loop's copy with averaged weights."""
    if not isinstance(module, _Aligned):
        raise TypeError("towers are judged by a copy of their own module")
    return module


class TowerTask:
    """The task of training a pair's projections, and its text side if that is trained; a `Task` of the training loop.

    Image features are standardised by `standard`, text features divided by `text_std`; both must be folded into the
    projections afterwards (see `fold_tower`).
    """

    watched = "R"

    def __init__(
        self,
        pair: PairTower,
        *,
        train: tuple[TrainingSet, Texts],
        val: tuple[TrainingSet, Texts],
        standard: Standardizer,
        text_std: float,
        recipe: TowerRecipe,
        device: torch.device,
    ) -> None:
        self.pair, self.recipe, self.device = pair, recipe, device
        self.module = _Aligned(pair).to(device)
        self.train, self.val, self.standard, self.text_std = train, val, standard, text_std
        self._labels = _numbers(train[0].labels)

    def loss(self, batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        """The recipe's loss of a batch."""
        del progress
        dataset, texts = self.train
        x = self.standard(self.pair.summary(batch.features.to(self.device)))
        images = self._project(self.module.image_projection, dropout(x, self.recipe.dropout))
        vectors = self._texts(self.module, texts, batch.captions, drop=self.recipe.text_dropout)
        cosines = images @ vectors.T
        same = torch.from_numpy(dataset.meaning[batch.captions]).to(self.device)
        alike = same[:, None] == same[None]
        if self.recipe.loss == "vse":
            return hardest_triplet(cosines, margin=self.recipe.margin, same=alike), {}
        if self.recipe.loss == "infonce":
            return info_nce(cosines * self.module.log_scale.exp(), alike.float()), {}
        # Image vectors are trained by their labels alone (detached here), text vectors to match them.
        labels = torch.from_numpy(self._labels[batch.pictures]).to(self.device)
        following = info_nce(images.detach() @ vectors.T * self.module.log_scale.exp(), alike.float())
        return label_triplet(images, labels, margin=self.recipe.margin) + following, {}

    def _texts(self, module: _Aligned, texts: Texts, rows: Rows, *, drop: float = 0.0) -> Tensor:
        features = texts.features(module.text, rows, self.device) / self.text_std
        return self._project(module.text_projection, dropout(features, drop))

    def _project(self, projection: nn.Module, x: Tensor) -> Tensor:
        with fast(self.device):
            vectors: Tensor = projection(x)
        return normalize(vectors.float(), dim=1)

    @torch.no_grad()
    def judge(self, module: nn.Module) -> Figures:
        """Recall on val by cosine; for the loss "labels", of images with the same label."""
        dataset, texts = self.val
        x = self.standard(self.pair.summary(dataset.features(np.arange(len(dataset))).to(self.device)))
        aligned = _aligned(module)
        images = self._project(aligned.image_projection, x)
        if self.recipe.loss == "labels":
            return _same_label(images, _numbers(dataset.labels))
        parts = [
            self._texts(aligned, texts, rows.numpy()) for rows in torch.split(torch.arange(len(dataset.texts)), 1000)
        ]
        vectors = torch.cat(parts)
        return figures_of(*recalls(lambda run: (images @ vectors[run].T).cpu(), dataset.owner, pictures=len(dataset)))


def _same_label(images: Tensor, labels: Rows) -> Figures:
    """The percentage of images with an image of the same label among their nearest 1, 5 and 10 others."""
    cosines = (images @ images.T).fill_diagonal_(-2)
    near = cosines.topk(min(10, len(images) - 1), dim=1).indices.cpu().numpy()
    hits = labels[near] == labels[:, None]
    found = {f"R@{k}": 100 * float(hits[:, :k].any(1).mean()) for k in (1, 5, 10)}
    return {"R": sum(found.values()) / 3} | found


def _numbers(labels: Sequence[str | None]) -> Rows:
    """A number per label; each image without a label gets its own number."""
    known = {label: i for i, label in enumerate(sorted({x for x in labels if x is not None}))}
    return np.array([known[x] if x is not None else -1 - i for i, x in enumerate(labels)], dtype=np.int64)
