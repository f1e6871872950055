"""Cut-offs: the score below which results are treated as noise, and the cosine below which neighbours are."""

from dataclasses import dataclass

import numpy as np

from lexel.pipeline.calibrate.hybrid_weight import Floats, Right


@dataclass(frozen=True)
class Cutoff:
    """A score threshold, with the mean number of results per query that reach it, and their precision and recall."""

    score: float
    kept: float
    precision: float
    recall: float


def best_cutoff(scores: Floats, right: Right) -> Cutoff:
    """The threshold with the highest F1 over all pairs: `scores` [Q, N] against relevance `right` [Q, N].

    The precision is a lower bound, since judgments seldom name every relevant item (a caption fits other images too).
    """
    good, every = np.sort(scores[right])[::-1], np.sort(scores, axis=None)
    found = np.arange(1, len(good) + 1)
    kept = every.size - np.searchsorted(every, good)
    # A threshold keeps all equal scores, so only the last of them is a candidate.
    last = np.append(good[1:] != good[:-1], True) & (good > 0)
    f1 = np.where(last, 2 * found / (kept + len(good)), -1.0)
    best = int(np.argmax(f1))
    return Cutoff(
        _just_below(float(good[best])),
        kept=float(kept[best] / len(scores)),
        precision=float(found[best] / kept[best]),
        recall=float(found[best] / len(good)),
    )


# Of so many items that a query is not about, one may be its neighbour.
_WRONG = 100


@dataclass(frozen=True)
class LeastCosine:
    """A threshold for what shares no word with a query, with the share of the right items that reach it."""

    cosine: float
    recall: float


def least_cosine(cosines: Floats, right: Right) -> LeastCosine:
    """The cosine that one in a hundred wrong pairs reaches, of those of `cosines` [Q, N] that are not `right` [Q, N].

    A threshold at a rate of false alarms (Neyman and Pearson, 1933), and not the one with the best F1: that would leave
    out most right items, of which a query has one or a few among many.
    """
    found = round(float(np.quantile(cosines[~right], 1 - 1 / _WRONG)), 3)
    return LeastCosine(found, float((cosines[right] >= found).mean()))


def _just_below(score: float) -> float:
    """A short decimal at most 0.1 % below a score > 0; rounded up, it would exclude the score itself."""
    return float(f"{score * (1 - 5e-4):.4g}")
