"""What a dual encoder learns end to end: the loss that it was made for, on pixels and captions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from lexel.encoders.runtime.precision import fast
from lexel.encoders.towers import DualTower
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.iterators import batched
from lexel.pipeline.train.data.image_batches import ImageBatch, ImageDataset
from lexel.pipeline.train.data.training_set import TrainingSet
from lexel.pipeline.train.tasks.head_task import figures_of
from lexel.pipeline.train.tasks.loop import Figures
from lexel.pipeline.train.tasks.losses import info_nce, sigmoid_pairs
from lexel.pipeline.train.tasks.recall import recalls
from lexel.pipeline.train.tasks.schedule import Schedule

Freeze = Literal["none", "image", "text"]
FREEZE: tuple[Freeze, ...] = get_args(Freeze)
# CLIP's logits are never scaled by more than this (Radford et al., ICML 2021, section 2.5).
_STEEPEST = 100.0
_SCHEDULE = Schedule(epochs=10, batch=256, rate=1e-5, patience=3)
S = TypeVar("S", Tensor, Sequence[str])


@dataclass(frozen=True)
class ContrastRecipe:
    """How a dual encoder is fine-tuned.

    `freeze` names the side that stays as it is; a locked image side is LiT (Zhai et al., CVPR 2022). `chunk` is how
    many of a batch go through the networks at once (see `ContrastTask`), `clip` the longest gradient that is followed,
    `views` the looks at each picture (see `views.view`).
    """

    schedule: Schedule = _SCHEDULE
    freeze: Freeze = "none"
    chunk: int | None = None
    views: int = 1
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.freeze not in FREEZE:
            raise ConfigError(f"There is no side {self.freeze!r} to freeze; choose {', '.join(FREEZE)}.")


def own_loss(net: Any, images: Tensor, texts: Tensor, same: Tensor) -> Tensor:
    """The loss that `net` was made for, of unit vectors [B, D] of both sides and what belongs together [B, B].

    With a bias that is SigLIP's sigmoid loss, without one InfoNCE, both scaled as the checkpoint learned it. Where only
    the diagonal belongs together, it is the loss that `transformers` computes.
    """
    cosines = images @ texts.T
    if hasattr(net, "logit_bias"):
        return sigmoid_pairs(cosines * net.logit_scale.exp() + net.logit_bias, same)
    if hasattr(net, "temperature"):  # ALIGN's name for the inverse
        return info_nce(cosines / net.temperature, same.float())
    return info_nce(cosines * net.logit_scale.exp(), same.float())


class _Learner(nn.Module):
    """A dual encoder of which some may stay as it is."""

    def __init__(self, tower: DualTower, freeze: Freeze) -> None:
        super().__init__()
        self.tower = tower
        for parameter in _side(tower, freeze):
            parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> "_Learner":
        """What is frozen has no dropout; batch norm keeps the pictures' statistics that it was trained on."""
        super().train(mode)
        for module in self.modules():
            own = list(module.parameters())
            if isinstance(module, _BatchNorm) or (own and not any(p.requires_grad for p in own)):
                module.eval()
        return self


def _side(tower: DualTower, side: Freeze) -> list[nn.Parameter]:
    """The weights that make the vectors of `side`, found by their gradients: each architecture has its own names."""
    if side == "none":
        return []
    if side == "image":
        blank = tower.pixels(Image.new("RGB", (64, 64)))[None]
        vectors = tower.images(blank.to(next(tower.parameters()).device))[1]
    else:
        vectors = tower.texts(["a word"])
    weights = list(tower.parameters())
    slopes = torch.autograd.grad(vectors.sum(), weights, allow_unused=True)
    return [weight for weight, slope in zip(weights, slopes, strict=True) if slope is not None]


class ContrastTask:
    """The task of learning a dual encoder end to end; a `Task` of the training loop.

    With the recipe's `chunk` a batch may be larger than what fits in memory, with the same gradients: the networks see
    it chunk by chunk, without a graph; the loss gives the slope of each vector; then each chunk is gone through again
    with the same dropout, to take the slopes to the weights. That is GradCache (Gao et al., RepL4NLP 2021, section
    3.2); checkpoints of the chunks do just that.

    Raises ConfigError for a checkpoint without a scale of its own.
    """

    watched = "R"

    def __init__(self, tower: DualTower, *, val: ImageDataset, recipe: ContrastRecipe, device: torch.device) -> None:
        if not (hasattr(tower.net, "logit_scale") or hasattr(tower.net, "temperature")):
            kind = type(tower.net).__name__
            raise ConfigError(f"A {kind} has no learned scale of its scores, so it cannot be fine-tuned; give another.")
        self.tower, self.val, self.recipe, self.device = tower.to(device), val, recipe, device
        self.module = _Learner(tower, recipe.freeze)

    def loss(self, batch: ImageBatch, progress: float) -> tuple[Tensor, Figures]:
        """The checkpoint's own loss of a batch."""
        del progress
        self._bound_scale()
        images = self._vectors(lambda pixels: self.tower.images(pixels)[1], batch.pixels)
        texts = self._vectors(self.tower.texts, batch.texts)
        return own_loss(self.tower.net, images, texts, batch.same), {}

    def _vectors(self, encode: Callable[[S], Tensor], things: S) -> Tensor:
        def forward(some: S) -> Tensor:
            with fast(self.device):
                return encode(some).float()

        size = self.recipe.chunk or len(things)
        if len(things) <= size:
            return forward(things)
        starts = range(0, len(things), size)
        return torch.cat([checkpoint(forward, things[i : i + size], use_reentrant=False) for i in starts])

    @torch.no_grad()
    def _bound_scale(self) -> None:
        net = self.tower.net
        if hasattr(net, "temperature"):
            net.temperature.clamp_(min=1 / _STEEPEST)
        elif not hasattr(net, "logit_bias"):
            net.logit_scale.clamp_(max=math.log(_STEEPEST))

    def judge(self, module: nn.Module) -> Figures:
        """Recall on val by cosine."""
        if not isinstance(module, _Learner):
            raise TypeError("a dual encoder is judged by a copy of its own module")
        lesson = seen(module.tower, self.val, device=self.device, what="Judging")
        images, asked = lesson.sample(len(lesson)), said(module.tower, lesson.texts, device=self.device)
        return figures_of(*recalls(lambda run: images @ asked[run].T, lesson.owner, pictures=len(lesson)))


@torch.no_grad()
def seen(
    tower: DualTower, album: ImageDataset, *, device: torch.device, what: str, most: int | None = None
) -> TrainingSet:
    """The pictures of `album` that can be read, at most `most`, with their unit vectors as features."""
    rows, vectors = [], []
    for some, pixels in album.pictures(what, size=64, most=most):
        with fast(device):
            vectors.append(tower.images(pixels)[1].float().cpu())
        rows.append(torch.from_numpy(some))
    return album.encoded(torch.cat(rows).numpy(), torch.cat(vectors))


@torch.no_grad()
def said(tower: DualTower, texts: Sequence[str], *, device: torch.device) -> Tensor:
    """The unit vectors [C, D] of `texts`, in main memory."""
    with fast(device):
        return torch.cat([tower.texts(some).float().cpu() for some in batched(texts, 256)])
