"""A head that expands both images and queries into weighted terms."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.heads.lexicon import saturated
from lexel.encoders.layers import make_linear


class ExpandHead(nn.Module):
    """A projection to the vocabulary for image features, and another for text vectors.

    Both are log(1 + relu(f(x))) with f linear, for images plus a residual MLP of `hidden` units (Dense2Sparse: Nguyen
    et al., "Multimodal Learned Sparse Retrieval with Probabilistic Expansion Control", ECIR 2024). The words that a
    query contains get a learned weight on top of the expansion.

    `worth` [V] is the standard deviation of a term's weight over queries, used to prune images; `query_worth` [V] that
    over images, used to prune queries to `query_keep` terms.
    """

    def __init__(self, *, features: int, dim: int, terms: int, query_keep: int = 64, hidden: int = 0) -> None:
        super().__init__()
        self.logits, self.hidden = make_linear(features, terms, hidden=hidden), hidden
        self.query_logits = nn.Linear(dim, terms)
        # exp(1): at the start of training a typed word weighs more than any added by the expansion.
        self.log_own = nn.Parameter(torch.ones(terms))
        self.query_keep = query_keep
        self.worth: torch.Tensor
        self.query_worth: torch.Tensor
        self.register_buffer("worth", torch.ones(terms))
        self.register_buffer("query_worth", torch.ones(terms))

    @property
    def terms(self) -> int:
        """The number V of terms."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return saturated(self.logits(features))

    def expand(self, vectors: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Unit vectors [B, D] of texts and their term counts [B, V] to query weights [B, V]."""
        return saturated(self.query_logits(vectors)) + counts * self.log_own.exp()

    def config(self) -> dict[str, Any]:
        """The layers' sizes and the number of terms kept per query."""
        return {
            "kind": "expand",
            "features": self.logits.in_features,
            "dim": self.query_logits.in_features,
            "terms": self.logits.out_features,
            "query_keep": self.query_keep,
            "hidden": self.hidden,
        }
