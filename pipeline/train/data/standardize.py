"""Standardised features for training, and folding the standardisation into the trained layers afterwards."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lexel.encoders.heads.head import Trainable
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.image.regions import regions_of
from lexel.encoders.layers import input_layers
from lexel.encoders.towers import PairTower


@dataclass(frozen=True)
class Standardizer:
    """The mean [F] and standard deviation [F] of features; with `regions`, those of one region's features."""

    mean: Tensor
    std: Tensor
    regions: int = 0

    @classmethod
    def of(cls, features: Tensor, *, regions: int = 0) -> "Standardizer":
        """Measured on features [P, F]."""
        some = features.float()
        if regions:
            vectors, mask = regions_of(some, regions)
            some = vectors[mask]
        # The added constant keeps nearly constant features from being amplified.
        return cls(some.mean(0), some.std(0, correction=0) + 1e-3 * float(some.std()) + 1e-8, regions)

    def __call__(self, features: Tensor) -> Tensor:
        """Standardise features [B, F], or [B, regions * (F + 1)] of regions, whose mask columns are unchanged."""
        mean, std = self.mean.to(features.device), self.std.to(features.device)
        if self.regions:
            flag = mean.new_zeros(1)
            mean = torch.cat([mean, flag]).repeat(self.regions)
            std = torch.cat([std, flag + 1]).repeat(self.regions)
        return (features - mean) / std

    @torch.no_grad()
    def unfold_from(self, map_: nn.Linear) -> None:
        """Change `map_` in place to take standardised features instead of raw ones; the inverse of `fold_into`."""
        for linear in input_layers(map_):
            linear.bias.add_(linear.weight @ self.mean.to(linear.weight.device))
            linear.weight.mul_(self.std.to(linear.weight.device))

    @torch.no_grad()
    def fold_into(self, map_: nn.Linear) -> None:
        """Change `map_`, trained on standardised features, in place to take raw ones."""
        for linear in input_layers(map_):
            linear.weight.div_(self.std.to(linear.weight.device))
            linear.bias.sub_(linear.weight @ self.mean.to(linear.weight.device))


def fold_head(head: Trainable, standard: Standardizer) -> None:
    """Change a head trained on standardised features in place to take raw ones."""
    standard.fold_into((head.inner if isinstance(head, RegionHead) else head).logits)


@torch.no_grad()
def unfold_tower(tower: PairTower, standard: Standardizer, text_std: float) -> None:
    """Change a tower's projections in place to take standardised features; the inverse of `fold_tower`."""
    standard.unfold_from(tower.image_projection)
    for linear in input_layers(tower.text_projection):
        linear.weight.mul_(text_std)


@torch.no_grad()
def fold_tower(tower: PairTower, standard: Standardizer, text_std: float) -> None:
    """Change projections trained on standardised features in place to take raw ones."""
    standard.fold_into(tower.image_projection)
    for linear in input_layers(tower.text_projection):
        linear.weight.div_(text_std)
