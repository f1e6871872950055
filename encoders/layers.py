"""A linear layer with an optional residual MLP."""

import torch
from torch import nn
from torch.nn.functional import dropout, gelu

_DROPOUT = 0.3


class ResidualLinear(nn.Linear):
    """A linear layer plus an MLP with one layer of `hidden` units, whose output starts at zero."""

    def __init__(self, features: int, dim: int, *, hidden: int) -> None:
        super().__init__(features, dim)
        self.inner, self.outer = nn.Linear(features, hidden), nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.outer.weight)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to [B, dim]."""
        bent: torch.Tensor = self.outer(dropout(gelu(self.inner(input)), _DROPOUT, training=self.training))
        return super().forward(input) + bent


def make_linear(features: int, dim: int, *, hidden: int) -> nn.Linear:
    """A layer from features [B, F] to [B, dim]: a ResidualLinear, or a plain linear layer if `hidden` is 0."""
    return ResidualLinear(features, dim, hidden=hidden) if hidden else nn.Linear(features, dim)


def input_layers(map_: nn.Linear) -> tuple[nn.Linear, ...]:
    """The linear layers within `map_` that read its input directly."""
    return (map_, map_.inner) if isinstance(map_, ResidualLinear) else (map_,)
