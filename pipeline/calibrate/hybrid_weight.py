"""The weight of the vector in a hybrid query, from judged queries; needs numpy alone."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lexel.pipeline.evaluate.encoded_items import Terms

Floats = npt.NDArray[np.float32]


Right = npt.NDArray[np.bool_]


Gains = npt.NDArray[np.float64]


# More queries would not improve the result, and their scores for every item would not fit in memory.
MOST_QUERIES = 5000


# The grid: six octaves on either side of the weight at which both parts have equal deviation, in steps of 19 %.
_OCTAVES, _STEPS = 6, 4


def term_scores(queries: Sequence[Terms], items: Sequence[Terms]) -> Floats:
    """The dot product of term weights of each query with each item, [Q, N]."""
    index = {term: i for i, term in enumerate(sorted({term for terms in items for term in terms}))}
    table = np.zeros((len(index), len(items)), np.float32)
    for column, terms in enumerate(items):
        for term, weight in terms.items():
            table[index[term], column] = weight
    scores = np.zeros((len(queries), len(items)), np.float32)
    for row, query in zip(scores, queries, strict=True):
        known = [(index[term], weight) for term, weight in query.items() if term in index]
        if known:
            row[:] = np.array([weight for _, weight in known], np.float32) @ table[[place for place, _ in known]]
    return scores


def best_weight(term_scores: Floats, cosines: Floats, right: Right) -> float:
    """The weight b for which term_scores + b x cosines, both [Q, N], ranks the items that are `right` [Q, N] best.

    The criterion is the mean over queries of 1 / log2(1 + rank) of the first right item (nDCG with one relevant item),
    which is smoother than R@k and weighs lower ranks more than 1 / rank does. Every query needs a right item. Of all
    weights on the grid within one standard error of the best (Breiman et al., Classification and Regression Trees,
    1984, section 3.4.3) the smallest is taken, because terms are more interpretable.
    """
    spread = float(cosines.std())
    middle = float(term_scores.std()) / spread if spread else 0.0
    if not middle:  # one side is constant, so that any weight ranks the same
        return 1.0
    weights = middle * 2 ** np.linspace(-_OCTAVES, _OCTAVES, 2 * _OCTAVES * _STEPS + 1)
    gains = [_gains(term_scores + np.float32(weight) * cosines, right) for weight in weights]
    best = max(gains, key=lambda gain: gain.mean())
    alike = next(w for w, gain in zip(weights, gains, strict=True) if _within_one_error(best - gain))
    return float(f"{alike:.3g}")


def _within_one_error(less: Gains) -> bool:
    """Whether the mean of differences [Q] is no larger than its standard error."""
    return bool(less.mean() <= less.std() / len(less) ** 0.5)


def ranks(scores: Floats, right: Right) -> npt.NDArray[np.float64]:
    """The rank, from 1, of the first right item of each query [Q]; half of the ties are counted before it."""
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    wrong = ~right
    above = ((scores > best) & wrong).sum(1)
    ranked: npt.NDArray[np.float64] = 1 + above + ((scores == best) & wrong).sum(1) / 2
    return ranked


def recalls(scores: Floats, right: Right) -> tuple[float, ...]:
    """R@1, R@5 and R@10 in per cent for scores [Q, N]."""
    found = ranks(scores, right)
    return tuple(float(100 * (found < k + 1).mean()) for k in (1, 5, 10))


def _gains(scores: Floats, right: Right) -> Gains:
    """1 / log2(1 + rank) of each query, [Q]."""
    return 1 / np.log2(1 + ranks(scores, right))
