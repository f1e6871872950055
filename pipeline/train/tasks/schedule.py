"""How long and how fast a training learns, and when it stops."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """An epoch passes over every caption once. `patience` is how many epochs without a better val it bears.

    The learning rate rises over the first steps and falls with a cosine (Loshchilov and Hutter, ICLR 2017, eq. 5).
    What is judged and kept is the running average of the weights, which generalises better than the last ones
    (Izmailov et al., UAI 2018).
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 0.1
    patience: int = 8
    average: float = 0.99
    seed: int = 0

    def rate_at(self, progress: float, *, step: int) -> float:
        """The share of `rate` at `progress` in 0..1 of the training, at its `step`."""
        return min(1.0, (step + 1) / 50) * max(0.02, 0.5 * (1 + math.cos(math.pi * progress)))

    def averaged(self, step: int) -> float:
        """How much of the average is kept at `step`: little at first, when it holds nothing yet."""
        return min(self.average, (1 + step) / (10 + step))
