"""Learned words on both sides: a query asks for more than it says."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.heads.lexicon import saturated
from lexel.encoders.layers import make_linear


class ExpandHead(nn.Module):
    """A map to the vocabulary for pictures, and another for texts, whose own words are added to what it finds.

    Both are log(1 + relu(f(x))), f linear, the pictures' with `hidden` units beside it, of the picture's features and
    of the text's vector (Dense2Sparse: Nguyen et al., "Multimodal Learned Sparse Retrieval with Probabilistic Expansion
    Control", ECIR 2024). A query's own words get a learned weight each on top, so that what people typed is asked for,
    whatever else is.

    `worth` [V] is the spread of a term's weight over queries, which is what cutting pictures goes by; `query_worth` [V]
    its spread over pictures, for cutting queries to `query_keep` terms.
    """

    def __init__(self, *, features: int, dim: int, terms: int, query_keep: int = 64, hidden: int = 0) -> None:
        super().__init__()
        self.logits, self.hidden = make_linear(features, terms, hidden=hidden), hidden
        self.query_logits = nn.Linear(dim, terms)
        # A word that was typed begins with more weight than any that was only thought of.
        self.log_own = nn.Parameter(torch.ones(terms))
        self.query_keep = query_keep
        self.worth: torch.Tensor
        self.query_worth: torch.Tensor
        self.register_buffer("worth", torch.ones(terms))
        self.register_buffer("query_worth", torch.ones(terms))

    @property
    def terms(self) -> int:
        """The number V of terms that it weighs."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return saturated(self.logits(features))

    def expand(self, vectors: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Unit vectors [B, D] of texts and how often they hold each term [B, V] to the query's weights [B, V]."""
        return saturated(self.query_logits(vectors)) + counts * self.log_own.exp()

    def config(self) -> dict[str, Any]:
        """The sizes of the maps and how many terms a query keeps."""
        return {
            "kind": "expand",
            "features": self.logits.in_features,
            "dim": self.query_logits.in_features,
            "terms": self.logits.out_features,
            "query_keep": self.query_keep,
            "hidden": self.hidden,
        }
