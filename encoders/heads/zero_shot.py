"""A dual encoder's own idea of each word, without training."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.layers import ResidualLinear
from lexel.encoders.towers import PairTower, Tower
from lexel.encoders.vocabulary.vocabulary import Vocabulary


class ZeroShotHead(nn.Module):
    """A dual encoder's own idea of each word, without training: how much closer a picture is to it than to most words.

    The weight is the picture's cosine with the vector of "a photo of a dog", less what pictures have on average and in
    units of how much they vary there (see `calibrated`), then standardised over the vocabulary and less `threshold`
    deviations. That a text encoder of CLIP's kind classifies by such prompts is from Radford et al., ICML 2021, section
    3.1. `anchors` [V, D] are the words' unit vectors, kept with the head so that re-terming needs no text model. Where
    the features are not the vectors, `projection` makes them such.
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
        """The number V of terms that it weighs."""
        return len(self.anchors)

    @classmethod
    def of(cls, tower: Tower, vocabulary: Vocabulary, *, prompt: str = "a photo of a {}.") -> "ZeroShotHead":
        """Ask `tower` for the vector of each term in `prompt`."""
        sentences = [prompt.format(term) for term in vocabulary.terms]
        with torch.inference_mode():
            parts = [tower.texts(sentences[i : i + 256]) for i in range(0, len(sentences), 256)]
        # The words' common direction says "this is a caption" and nothing of the picture.
        anchors = torch.cat(parts).float().cpu().clone()
        projection = deepcopy(tower.image_projection) if isinstance(tower, PairTower) else None
        return cls(anchors=normalize(anchors - anchors.mean(0), dim=1), projection=projection)

    @torch.no_grad()
    def calibrated(self, features: torch.Tensor) -> "ZeroShotHead":
        """This head, told by pictures [P, F] how close pictures usually are to each word.

        Some words are close to all pictures ("photo", "image"), and would stand on every one of them.
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
        """The sizes of the anchors and of the projection, and the threshold."""
        map_ = self.projection
        return {
            "kind": "zeroshot",
            "anchors": list(self.anchors.shape),
            "features": None if map_ is None else map_.in_features,
            "hidden": map_.inner.out_features if isinstance(map_, ResidualLinear) else 0,
            "threshold": self.threshold,
        }
