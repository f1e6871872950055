"""Score cut-offs: the score under which results are noise."""

from dataclasses import dataclass

import numpy as np

from lexel.pipeline.calibrate.hybrid_weight import Floats, Right


@dataclass(frozen=True)
class Cutoff:
    """A score: results at or above it are `kept` a query on average, a share `precision` of them and `recall` of all
    right items among them."""

    score: float
    kept: float
    precision: float
    recall: float


def best_cutoff(scores: Floats, right: Right) -> Cutoff:
    """The score with the highest F1 of "at or above it" as a guess at "right", over all pairs [Q, N].

    Below it, more results cost more in precision than they add in recall. Judgments seldom name every item that would
    do (a caption fits other pictures too), so the precision here is a lower bound.
    """
    good, every = np.sort(scores[right])[::-1], np.sort(scores, axis=None)
    found = np.arange(1, len(good) + 1)
    kept = every.size - np.searchsorted(every, good)
    # Equal scores are kept together, so that the last of them counts.
    last = np.append(good[1:] != good[:-1], True) & (good > 0)
    f1 = np.where(last, 2 * found / (kept + len(good)), -1.0)
    best = int(np.argmax(f1))
    return Cutoff(
        _just_below(float(good[best])),
        kept=float(kept[best] / len(scores)),
        precision=float(found[best] / kept[best]),
        recall=float(found[best] / len(good)),
    )


def _just_below(score: float) -> float:
    """A short number at most 0.1 % below a score > 0: rounded up, it would cut off what it was chosen to keep."""
    return float(f"{score * (1 - 5e-4):.4g}")
