"""The interface of heads, and how a head is built from its config."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.labels import LabelsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.heads.zero_shot import ZeroShotHead
from lexel.encoders.layers import make_linear

AnyHead = WordClassifierHead | ExpandHead | LabelsHead | LexiconHead | RegionHead | ZeroShotHead


class Head(Protocol):
    """A head, as `Model` uses it."""

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V] >= 0, already multiplied by the query's weight of each term."""

    def config(self) -> dict[str, Any]:
        """The JSON table from which `head` builds it again."""


def head(config: Mapping[str, Any]) -> AnyHead:
    """Build a head from its `config` table; its weights are loaded later. Raises EncoderError for an unknown kind."""
    if (one_map := _linear(config)) is not None:
        return one_map
    match config:
        case {"kind": "expand", "features": features, "dim": dim, "terms": terms, "query_keep": query_keep}:
            hidden = config.get("hidden", 0)
            return ExpandHead(features=features, dim=dim, terms=terms, query_keep=query_keep, hidden=hidden)
        case {"kind": "zeroshot", "anchors": shape, "features": features, "threshold": threshold}:
            projection = make_linear(features, shape[1], hidden=config.get("hidden", 0)) if features else None
            return ZeroShotHead(anchors=torch.zeros(*shape), threshold=threshold, projection=projection)
        case {"kind": "labels", "features": features, "labels": labels, "terms": terms, "pairs": pairs}:
            return LabelsHead(features=features, labels=labels, terms=terms, pairs=pairs)
        case {"kind": "regions", "regions": regions, "inner": inner} if (of_one := _linear(inner)) is not None:
            return RegionHead(of_one, regions=regions)
    raise EncoderError(f"This lexel does not know the head {config.get('kind')!r}; the encoder may need a newer one.")


def _linear(config: Mapping[str, Any]) -> LexiconHead | WordClassifierHead | None:
    """The head of `config` if it is one that RegionHead can apply to each region, else None."""
    match config:
        case {"kind": "lexicon", "features": features, "terms": terms}:
            # Encoders of the first version have no "hidden" key and no hidden units.
            return LexiconHead(features=features, terms=terms, hidden=config.get("hidden", 0))
        case {"kind": "bce", "features": features, "terms": terms}:
            return WordClassifierHead(features=features, terms=terms)
    return None


Trainable = LexiconHead | RegionHead | WordClassifierHead | ExpandHead
