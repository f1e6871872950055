"""A head that weighs terms by a dual encoder's zero-shot similarity to them, without training."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.layers import ResidualLinear
from lexel.encoders.towers import PairTower, Tower
from lexel.encoders.vocabulary.vocabulary import Vocabulary


class ZeroShotHead(nn.Module):
    """Term weights from the cosines of an image with prompts such as "a photo of a dog".

    Zero-shot classification by such prompts is CLIP's (Radford et al., ICML 2021, section 3.1).
    The cosine with each term's prompt is standardised over images (see `calibrated`), then over the vocabulary; the
    weight is what exceeds `threshold` standard deviations. `anchors` [V, D] are the prompts' unit vectors, stored so
    that no text model is needed. If the features are not the vectors, `projection` maps them.
    """

    def __init__(self, *, anchors: torch.Tensor, threshold: float = 1.5, projection: nn.Linear | None = None) -> None:
        super().__init__()
        self.threshold = threshold
        self.projection = projection
        self.anchors: torch.Tensor
        self.register_buffer("anchors", anchors)
        self.usual: torch.Tensor
        self.register_buffer("usual", torch.zeros(len(anchors)))
        self.spread: torch.Tensor
        self.register_buffer("spread", torch.ones(len(anchors)))

    @property
    def terms(self) -> int:
        """The number V of terms."""
        return len(self.anchors)

    @classmethod
    def of(cls, tower: Tower, vocabulary: Vocabulary, *, prompt: str = "a photo of a {}.") -> "ZeroShotHead":
        """The head whose anchors are `tower`'s vectors of `prompt` filled with each term."""
        sentences = [prompt.format(term) for term in vocabulary.terms]
        with torch.inference_mode():
            parts = [tower.texts(sentences[i : i + 256]) for i in range(0, len(sentences), 256)]
        # The mean over terms is subtracted: it is common to all captions and says nothing about an image.
        anchors = torch.cat(parts).float().cpu().clone()
        projection = deepcopy(tower.image_projection) if isinstance(tower, PairTower) else None
        return cls(anchors=normalize(anchors - anchors.mean(0), dim=1), projection=projection)

    @torch.no_grad()
    def calibrated(self, features: torch.Tensor) -> "ZeroShotHead":
        """Set the mean and deviation of each term's cosine from the features [P, F] of sample images; returns the head.

        Without it, terms that are similar to all images ("photo", "image") would be assigned to every one.
        """
        cosines = torch.cat([self._cosines(some) for some in torch.split(features, 1000)])
        self.usual.copy_(cosines.mean(0))
        self.spread.copy_(cosines.std(0, correction=0).clamp(min=1e-4))
        return self

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F], or vectors [B, D], to weights [B, V]."""
        closer = (self._cosines(features) - self.usual) / self.spread
        deviation = closer.std(1, keepdim=True, correction=0).clamp(min=1e-6)
        return ((closer - closer.mean(1, keepdim=True)) / deviation - self.threshold).relu()

    def _cosines(self, features: torch.Tensor) -> torch.Tensor:
        vectors = features if self.projection is None else self.projection(features)
        cosines: torch.Tensor = normalize(vectors, dim=1) @ self.anchors.T
        return cosines

    def config(self) -> dict[str, Any]:
        """The sizes of anchors and projection, and the threshold."""
        map_ = self.projection
        return {
            "kind": "zeroshot",
            "anchors": list(self.anchors.shape),
            "features": None if map_ is None else map_.in_features,
            "hidden": map_.inner.out_features if isinstance(map_, ResidualLinear) else 0,
            "threshold": self.threshold,
        }
