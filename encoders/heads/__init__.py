"""Heads: a picture's features to a weight >= 0 on each term of the vocabulary. One head a file."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from lexel.encoders.errors import EncoderError
from lexel.encoders.heads.bce import CaptionWordsHead
from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.labels import LabelsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.regions import RegionHead
from lexel.encoders.heads.zeroshot import ZeroShotHead

__all__ = ["AnyHead", "CaptionWordsHead", "ExpandHead", "Head", "LabelsHead", "LexiconHead", "RegionHead", "ZeroShotHead", "head"]

AnyHead = CaptionWordsHead | ExpandHead | LabelsHead | LexiconHead | RegionHead | ZeroShotHead


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
        case {"kind": "bce", "features": features, "terms": terms}:
            return CaptionWordsHead(features=features, terms=terms)
        case {"kind": "expand", "features": features, "dim": dim, "terms": terms, "query_keep": query_keep}:
            return ExpandHead(features=features, dim=dim, terms=terms, query_keep=query_keep)
        case {"kind": "zeroshot", "anchors": shape, "threshold": threshold}:
            return ZeroShotHead(anchors=torch.zeros(*shape), threshold=threshold)
        case {"kind": "labels", "features": width, "labels": labels, "terms": terms, "pairs": pairs}:
            return LabelsHead(features=width, labels=labels, terms=terms, pairs=pairs)
        case {"kind": "regions", "regions": regions, "inner": {"kind": "lexicon", "features": width, "terms": terms}}:
            return RegionHead(LexiconHead(features=width, terms=terms), regions=regions)
    raise EncoderError(f"This lexel does not know the head {config.get('kind')!r}; the encoder may need a newer one.")
