"""A head over the regions of an image: another head on each region, max-pooled."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.image.regions import regions_of


class RegionHead(nn.Module):
    """Applies `inner` to each region and takes the maximum of each term's weight.

    SPLADE pools the positions of a text in the same way (Formal et al., SPLADE v2, 2021, section 3).
    """

    def __init__(self, inner: LexiconHead | WordClassifierHead, *, regions: int) -> None:
        super().__init__()
        self.inner, self.regions = inner, regions

    @property
    def terms(self) -> int:
        """The number V of terms."""
        return self.inner.terms

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, regions * (F + 1)] of a RegionBackbone to weights [B, V]."""
        vectors, mask = regions_of(features, self.regions)
        weights: torch.Tensor = self.inner(vectors) * mask[:, :, None]
        return weights.amax(1)

    def config(self) -> dict[str, Any]:
        """The inner head's table and the number of regions."""
        return {"kind": "regions", "regions": self.regions, "inner": self.inner.config()}
