"""Features brought to mean 0 and deviation 1 while learning, and the maps that read them rid of it afterwards."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lexel.encoders.heads.head import RegionHead, Trainable
from lexel.encoders.image.regions import regions_of
from lexel.encoders.layers import input_layers
from lexel.encoders.towers import PairTower


@dataclass(frozen=True)
class Standardizer:
    """The mean [F] and deviation [F] of features over a collection. With `regions`, those of a region's features."""

    mean: Tensor
    std: Tensor
    regions: int = 0

    @classmethod
    def of(cls, features: Tensor, *, regions: int = 0) -> "Standardizer":
        """Measured on features [P, F]."""
        some = features.float()
        if regions:
            vectors, there = regions_of(some, regions)
            some = vectors[there]
        # A feature that hardly ever changes says nothing, and must not be blown up.
        return cls(some.mean(0), some.std(0, correction=0) + 1e-3 * float(some.std()) + 1e-8, regions)

    def __call__(self, features: Tensor) -> Tensor:
        """Features [B, F], or [B, regions * (F + 1)] of regions, whose flags stay as they are."""
        mean, std = self.mean.to(features.device), self.std.to(features.device)
        if self.regions:
            flag = mean.new_zeros(1)
            mean = torch.cat([mean, flag]).repeat(self.regions)
            std = torch.cat([std, flag + 1]).repeat(self.regions)
        return (features - mean) / std

    @torch.no_grad()
    def unfold_from(self, map_: nn.Linear) -> None:
        """Make `map_`, which read the features themselves, read standardised ones: what `fold_into` undoes."""
        for linear in input_layers(map_):
            linear.bias.add_(linear.weight @ self.mean.to(linear.weight.device))
            linear.weight.mul_(self.std.to(linear.weight.device))

    @torch.no_grad()
    def fold_into(self, map_: nn.Linear) -> None:
        """Make `map_`, which read standardised features, read the features themselves."""
        for linear in input_layers(map_):
            linear.weight.div_(self.std.to(linear.weight.device))
            linear.bias.sub_(linear.weight @ self.mean.to(linear.weight.device))


def fold_head(head: Trainable, standard: Standardizer) -> None:
    """Make a head that learned on standardised features read the features themselves."""
    standard.fold_into((head.inner if isinstance(head, RegionHead) else head).logits)


@torch.no_grad()
def unfold_tower(tower: PairTower, standard: Standardizer, text_std: float) -> None:
    """Make trained projections read standardised features: what `fold_tower` undoes."""
    standard.unfold_from(tower.image_projection)
    for linear in input_layers(tower.text_projection):
        linear.weight.mul_(text_std)


@torch.no_grad()
def fold_tower(tower: PairTower, standard: Standardizer, text_std: float) -> None:
    """Make projections that learned on standardised features read the features themselves."""
    standard.fold_into(tower.image_projection)
    for linear in input_layers(tower.text_projection):
        linear.weight.div_(text_std)
