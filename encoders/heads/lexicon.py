"""The head that this project is for: learned words whose query is inference-free."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.layers import make_linear


def saturated(logits: torch.Tensor) -> torch.Tensor:
    """log(1 + relu(x)), SPLADE's saturation (Formal et al., SIGIR 2021, eq. 1): no term can outweigh all others."""
    # In float32 also where the product before it was rounded: eight bits of a weight would tie what differs.
    return torch.log1p(logits.float().relu())


class LexiconHead(nn.Module):
    """A map to the vocabulary, saturated, times a learned weight per term.

    weight = log(1 + relu(f(x))) * exp(q), where f is linear with `hidden` units beside it. exp(q) is what a query would
    give the term, constant in inference-free retrieval (Geng et al., "Towards Competitive Search Relevance For
    Inference-Free Learned Sparse Retrievers", 2024), so it is folded into the picture's side and a query is just its
    words.
    """

    def __init__(self, *, features: int, terms: int, hidden: int = 0) -> None:
        super().__init__()
        self.logits, self.hidden = make_linear(features, terms, hidden=hidden), hidden
        # The logarithm, so that a weight stays above 0 whatever training does to it.
        self.log_query = nn.Parameter(torch.zeros(terms))

    @property
    def terms(self) -> int:
        """The number V of terms that it weighs."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return saturated(self.logits(features)) * self.log_query.exp()

    def config(self) -> dict[str, Any]:
        """The sizes of the map."""
        sizes = {"features": self.logits.in_features, "terms": self.logits.out_features, "hidden": self.hidden}
        return {"kind": "lexicon", **sizes}
