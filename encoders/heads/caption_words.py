"""The words that captions of such a picture hold, learned one by one."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import logsigmoid


class CaptionWordsHead(nn.Module):
    """Each term's chance of standing in a caption of the picture, by a logistic regression a term.

    Trained as a multi-label classification of caption words (binary cross-entropy). The weight is
    relu(log(chance / prior)), where `prior` is the share of captions that hold the term: summed over a query's words it
    is how much likelier the picture makes the query than chance does (query likelihood, Ponte and Croft, SIGIR 1998,
    over the collection's model).
    """

    def __init__(self, *, features: int, terms: int) -> None:
        super().__init__()
        self.logits = nn.Linear(features, terms)
        self.prior: torch.Tensor
        self.register_buffer("prior", torch.full((terms,), 0.5))

    @property
    def terms(self) -> int:
        """The number V of terms that it weighs."""
        return self.logits.out_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        return (logsigmoid(self.logits(features).float()) - self.prior.log()).relu()

    def config(self) -> dict[str, Any]:
        """The sizes of the map."""
        return {"kind": "bce", "features": self.logits.in_features, "terms": self.logits.out_features}
