"""The terms of a picture that is given as its regions."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.heads.caption_words import CaptionWordsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.regions import regions_of


class RegionHead(nn.Module):
    """Another head on each region, and of each term the most that any region gives it.

    Max pooling is how SPLADE joins what the places of a text say (Formal et al., SPLADE v2, 2021, section 3): a dog
    that one region shows is in the picture, however many regions show none.
    """

    def __init__(self, inner: LexiconHead | CaptionWordsHead, *, regions: int) -> None:
        super().__init__()
        self.inner, self.regions = inner, regions

    @property
    def terms(self) -> int:
        """The number V of terms that it weighs."""
        return self.inner.terms

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, regions * (F + 1)], as `RegionBackbone` makes them, to weights [B, V]."""
        vectors, there = regions_of(features, self.regions)
        weights: torch.Tensor = self.inner(vectors) * there[:, :, None]
        return weights.amax(1)

    def config(self) -> dict[str, Any]:
        """The head of a region and how many there are."""
        return {"kind": "regions", "regions": self.regions, "inner": self.inner.config()}
