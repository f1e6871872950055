"""Heads: a picture's features to a weight >= 0 on each term of the vocabulary."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.errors import EncoderError
from lexel.encoders.towers import Tower
from lexel.encoders.vocabulary import Vocabulary


class Head(Protocol):
    """What an encoder asks of its head."""

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V], all >= 0, the query's weight on each term folded in."""

    def config(self) -> dict[str, Any]:
        """What `head` needs to build it again."""


class LexiconHead(nn.Module):
    """A linear map to the vocabulary, saturated, times a learned weight per term.

    weight = log(1 + relu(W x + b)) * q. The saturation is SPLADE's (Formal et al., SIGIR 2021); q is what a query would
    give the term, constant in inference-free retrieval (Geng et al., 2024), so it is folded into the picture's side and
    a query is just its words.
    """

    def __init__(self, *, features: int, terms: int) -> None:
        super().__init__()
        self.logits = nn.Linear(features, terms)
        self.query_weight = nn.Parameter(torch.ones(terms))

    @property
    def terms(self) -> int:
        """The number V of terms that it weighs."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return torch.log1p(self.logits(features).relu()) * self.query_weight

    def config(self) -> dict[str, Any]:
        """The sizes of the map."""
        return {"kind": "lexicon", "features": self.logits.in_features, "terms": self.logits.out_features}


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


def head(config: Mapping[str, Any]) -> LexiconHead | ZeroShotHead:
    """Build what `Head.config` described, its weights still to be read. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "lexicon", "features": features, "terms": terms}:
            return LexiconHead(features=features, terms=terms)
        case {"kind": "zeroshot", "anchors": shape, "threshold": threshold}:
            return ZeroShotHead(anchors=torch.zeros(*shape), threshold=threshold)
    raise EncoderError(f"This lexel does not know the head {config.get('kind')!r}; the encoder may need a newer one.")
