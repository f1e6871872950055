"""The training schedule: epochs, learning rate, weight averaging, early stopping."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """An epoch draws each caption about once. Training stops after `patience` epochs without improvement on val.

    The learning rate has a linear warm-up and cosine decay (Loshchilov and Hutter, ICLR 2017, eq. 5); `decay` is the
    weight decay. The running average of the weights is evaluated and kept, which generalises better than the last
    weights (Izmailov et al., UAI 2018); `average` is its decay factor.
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 0.1
    patience: int = 8
    average: float = 0.99
    seed: int = 0

    def rate_at(self, progress: float, *, step: int) -> float:
        """The factor of `rate` at `progress` (0..1) of the training and its `step`."""
        return min(1.0, (step + 1) / 50) * max(0.02, 0.5 * (1 + math.cos(math.pi * progress)))

    def averaged(self, step: int) -> float:
        """The decay factor of the average at `step`, smaller in the first steps."""
        return min(self.average, (1 + step) / (10 + step))
