"""The head that this project is for: learned words whose query is inference-free."""

from typing import Any

import torch
from torch import nn


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
