"""The default head: learned term weights for images, searched by inference-free queries."""

from typing import Any

import torch
from torch import nn

from lexel.encoders.layers import make_linear


def saturated(logits: torch.Tensor) -> torch.Tensor:
    """log(1 + relu(x)), SPLADE's saturation (Formal et al., SIGIR 2021, eq. 1): keeps one term from dominating."""
    # In float32 even under autocast: bfloat16's 8 bits would tie different weights.
    return torch.log1p(logits.float().relu())


class LexiconHead(nn.Module):
    """A projection of image features to the vocabulary, saturated, times a learned query weight per term.

    weight = log(1 + relu(f(x))) * exp(q), where f is linear, plus a residual MLP of `hidden` units if that is not 0.
    exp(q) is the query weight of the term, which is constant in inference-free retrieval (Geng et al., "Towards
    Competitive Search Relevance For Inference-Free Learned Sparse Retrievers", 2024). It is folded into the image's
    weight, so that a query is its word counts.
    """

    def __init__(self, *, features: int, terms: int, hidden: int = 0) -> None:
        super().__init__()
        self.logits, self.hidden = make_linear(features, terms, hidden=hidden), hidden
        # Trained as a logarithm, so that the weight stays above 0.
        self.log_query = nn.Parameter(torch.zeros(terms))

    @property
    def terms(self) -> int:
        """The number V of terms."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return saturated(self.logits(features)) * self.log_query.exp()

    def config(self) -> dict[str, Any]:
        """The layer's sizes."""
        sizes = {"features": self.logits.in_features, "terms": self.logits.out_features, "hidden": self.hidden}
        return {"kind": "lexicon", **sizes}
