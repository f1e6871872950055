"""The task of fine-tuning a dual encoder end to end on pixels and captions, with its own pre-training loss."""

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
# CLIP clips the scale of its logits to this (Radford et al., ICML 2021, section 2.5).
_STEEPEST = 100.0
_SCHEDULE = Schedule(epochs=10, batch=256, rate=1e-5, patience=3)
S = TypeVar("S", Tensor, Sequence[str])


@dataclass(frozen=True)
class ContrastRecipe:
    """The hyperparameters of fine-tuning a dual encoder.

    `freeze` is the side that is not trained; with a frozen image side this is LiT (Zhai et al., CVPR 2022). `chunk` is
    the number of items that go through the networks at once (see `ContrastTask`), `clip` the maximum gradient norm,
    `views` the number of views of each image (see `augment.view`).
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
    """The pre-training loss of `net` for unit vectors [B, D] of both sides and the matching pairs `same` [B, B].

    SigLIP's sigmoid loss if `net` has a bias, else InfoNCE, both with the checkpoint's learned scale. If `same` is the
    identity, it equals the loss of `transformers`.
    """
    cosines = images @ texts.T
    if hasattr(net, "logit_bias"):
        return sigmoid_pairs(cosines * net.logit_scale.exp() + net.logit_bias, same)
    if hasattr(net, "temperature"):  # ALIGN has the inverse of a scale
        return info_nce(cosines / net.temperature, same.float())
    return info_nce(cosines * net.logit_scale.exp(), same.float())


class _Learner(nn.Module):
    """A dual encoder with one side frozen, or none."""

    def __init__(self, tower: DualTower, freeze: Freeze) -> None:
        super().__init__()
        self.tower = tower
        for parameter in _side(tower, freeze):
            parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> "_Learner":
        """As usual, but frozen modules (dropout) and all batch norms stay in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            own = list(module.parameters())
            if isinstance(module, _BatchNorm) or (own and not any(p.requires_grad for p in own)):
                module.eval()
        return self


def _side(tower: DualTower, side: Freeze) -> list[nn.Parameter]:
    """The parameters of one side, found as those with a gradient, since each architecture names them differently."""
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
    """The task of fine-tuning a dual encoder end to end; a `Task` of the training loop.

    With the recipe's `chunk` a batch can be larger than what fits in memory, with the same gradients, by gradient
    checkpointing of chunks: they are encoded without a graph, and again, with the same dropout, in the backward pass.
    This is GradCache (Gao et al., RepL4NLP 2021, section 3.2).

    Raises ConfigError if the checkpoint has no learned scale.
    """

    watched = "R"

    def __init__(self, tower: DualTower, *, val: ImageDataset, recipe: ContrastRecipe, device: torch.device) -> None:
        if not (hasattr(tower.net, "logit_scale") or hasattr(tower.net, "temperature")):
            kind = type(tower.net).__name__
            raise ConfigError(f"A {kind} has no learned scale of its scores, so it cannot be fine-tuned; give another.")
        self.tower, self.val, self.recipe, self.device = tower.to(device), val, recipe, device
        self.module = _Learner(tower, recipe.freeze)

    def loss(self, batch: ImageBatch, progress: float) -> tuple[Tensor, Figures]:
        """The loss of a batch (see `own_loss`)."""
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
        encoded = encode_images(module.tower, self.val, device=self.device, what="Judging")
        images, texts = encoded.sample(len(encoded)), encode_texts(module.tower, encoded.texts, device=self.device)
        return figures_of(*recalls(lambda run: images @ texts[run].T, encoded.owner, pictures=len(encoded)))


@torch.no_grad()
def encode_images(
    tower: DualTower, dataset: ImageDataset, *, device: torch.device, what: str, most: int | None = None
) -> TrainingSet:
    """The readable images of `dataset`, at most `most`, with their unit vectors as features."""
    rows, vectors = [], []
    for some, pixels in dataset.pictures(what, size=64, most=most):
        with fast(device):
            vectors.append(tower.images(pixels)[1].float().cpu())
        rows.append(torch.from_numpy(some))
    return dataset.encoded(torch.cat(rows).numpy(), torch.cat(vectors))


@torch.no_grad()
def encode_texts(tower: DualTower, texts: Sequence[str], *, device: torch.device) -> Tensor:
    """The unit vectors [C, D] of `texts`, on the CPU."""
    with fast(device):
        return torch.cat([tower.texts(some).float().cpu() for some in batched(texts, 256)])
