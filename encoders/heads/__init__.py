"""Heads: a picture's features to a weight >= 0 on each term of the vocabulary. One head a file."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from lexel.encoders.errors import EncoderError
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.regions import RegionHead
from lexel.encoders.heads.zeroshot import ZeroShotHead

__all__ = ["AnyHead", "Head", "LexiconHead", "RegionHead", "ZeroShotHead", "head"]

AnyHead = LexiconHead | RegionHead | ZeroShotHead


class Head(Protocol):
    """What an encoder asks of its head."""

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V], all >= 0, the query's weight on each term folded in."""

    def config(self) -> dict[str, Any]:
        """What `head` needs to build it again."""


def head(config: Mapping[str, Any]) -> AnyHead:
    """Build what `Head.config` described, its weights still to be read. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "lexicon", "features": features, "terms": terms}:
            return LexiconHead(features=features, terms=terms)
        case {"kind": "zeroshot", "anchors": shape, "threshold": threshold}:
            return ZeroShotHead(anchors=torch.zeros(*shape), threshold=threshold)
        case {"kind": "regions", "regions": regions, "inner": {"kind": "lexicon", "features": width, "terms": terms}}:
            return RegionHead(LexiconHead(features=width, terms=terms), regions=regions)
    raise EncoderError(f"This lexel does not know the head {config.get('kind')!r}; the encoder may need a newer one.")
