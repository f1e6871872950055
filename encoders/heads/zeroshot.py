"""A dual encoder's own idea of each word, without training."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.towers import Tower
from lexel.encoders.vocabulary import Vocabulary


class ZeroShotHead(nn.Module):
    """A dual encoder's own idea of each word, without training: how much closer a picture is to it than to most words.

    The weight is the picture's cosine with the vector of "a photo of a dog", standardised over the vocabulary and less
    `threshold` deviations. `anchors` [V, D] are the words' unit vectors, kept with the head so that re-terming needs no
    text model.
    """

    def __init__(self, *, anchors: torch.Tensor, threshold: float = 1.5) -> None:
        super().__init__()
        self.threshold = threshold
        self.anchors: torch.Tensor
        self.register_buffer("anchors", anchors)

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
        anchors = torch.cat(parts).float().cpu()
        return cls(anchors=normalize(anchors - anchors.mean(0), dim=1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Vectors [B, D] to weights [B, V]."""
        cosines = normalize(features, dim=1) @ self.anchors.T
        spread = cosines.std(1, keepdim=True, correction=0).clamp(min=1e-6)
        return ((cosines - cosines.mean(1, keepdim=True)) / spread - self.threshold).relu()

    def config(self) -> dict[str, Any]:
        """The anchors' shape and the threshold."""
        return {"kind": "zeroshot", "anchors": list(self.anchors.shape), "threshold": self.threshold}
