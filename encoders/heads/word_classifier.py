"""A head that predicts which words an image's captions contain, by one logistic regression per term."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import logsigmoid


class WordClassifierHead(nn.Module):
    """The probability of each term to occur in a caption of the image, as a log ratio to its prior.

    Trained as multi-label classification (binary cross-entropy). The weight is relu(log(probability / prior)), where
    `prior` is the share of captions that contain the term. Summed over a query's words this is the query likelihood
    relative to the collection model (Ponte and Croft, SIGIR 1998).
    """

    def __init__(self, *, features: int, terms: int) -> None:
        super().__init__()
        self.logits = nn.Linear(features, terms)
        self.prior: torch.Tensor
        self.register_buffer("prior", torch.full((terms,), 0.5))

    @property
    def terms(self) -> int:
        """The number V of terms."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return (logsigmoid(self.logits(features).float()) - self.prior.log()).relu()

    def config(self) -> dict[str, Any]:
        """The layer's sizes."""
        return {"kind": "bce", "features": self.logits.in_features, "terms": self.logits.out_features}
