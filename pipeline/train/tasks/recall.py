"""Recall of scores in memory, for validation during training."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lexel.pipeline.train.data.training_set import Rows


@dataclass(frozen=True)
class Recall:
    """The percentage of queries with a relevant item among the first 1, 5 and 10."""

    at_1: float
    at_5: float
    at_10: float

    @classmethod
    def of(cls, ranks: Tensor) -> "Recall":
        """From the rank, from 0, of each query's first relevant item."""
        return cls(*(round(100 * float((ranks < k).float().mean()), 2) for k in (1, 5, 10)))

    @property
    def mean(self) -> float:
        """The mean of all three."""
        return round((self.at_1 + self.at_5 + self.at_10) / 3, 3)


def recalls(score: Callable[[slice], Tensor], owner: Rows, *, pictures: int) -> tuple[Recall, Recall]:
    """Text-to-image and image-to-text recall. `score` returns the scores [P, c] for a slice of the captions.

    Half of the items that tie with the first relevant one are counted before it, so that constant scores give chance.
    """
    runs = [slice(i, i + 1000) for i in range(0, len(owner), 1000)]
    by_text, best = [], torch.full((pictures,), -torch.inf)
    rows = torch.from_numpy(owner)
    for run in runs:
        scores = score(run)
        own = scores[rows[run], torch.arange(scores.shape[1])]
        by_text.append(_rank(scores, own[None], dim=0, right=1))
        best = best.scatter_reduce(0, rows[run], own, "amax")
    above, ties = torch.zeros(pictures), torch.zeros(pictures)
    for run in runs:
        scores = score(run)
        foreign = rows[run][None] != torch.arange(pictures)[:, None]
        above += ((scores > best[:, None]) & foreign).sum(1)
        ties += ((scores == best[:, None]) & foreign).sum(1)
    asked = torch.from_numpy(np.unique(owner))
    return Recall.of(torch.cat(by_text)), Recall.of((above + ties / 2)[asked])


def _rank(scores: Tensor, own: Tensor, *, dim: int, right: int) -> Tensor:
    return (scores > own).sum(dim) + ((scores == own).sum(dim) - right) / 2
