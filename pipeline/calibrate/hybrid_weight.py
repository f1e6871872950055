"""The weight of the vector beside the terms in a hybrid query, from judged queries; numpy alone."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lexel.pipeline.evaluate.encoded_items import Terms

Floats = npt.NDArray[np.float32]


Right = npt.NDArray[np.bool_]


Gains = npt.NDArray[np.float64]


# More queries than this make the answer no better, and would not fit in memory with every item.
MOST_QUERIES = 5000


# Six octaves to either side of the weight at which both parts spread equally, in steps of 19 per cent.
_OCTAVES, _STEPS = 6, 4


def term_scores(queries: Sequence[Terms], items: Sequence[Terms]) -> Floats:
    """The sum over shared terms of each query with each item, [Q, N]."""
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
    """The b for which term_scores + b x cosines, all [Q, N], ranks best the items that are `right` [Q, N].

    Best is the highest mean of 1 / log2(1 + rank) over queries, with the rank of the first right item (its nDCG, were
    it the only one). It moves with every rank, where R@k sees one threshold only, and looks further down than
    1 / rank. Every query needs a right item. The search is a grid over twelve octaves. Of weights that the queries
    cannot tell from the best, which are those within one standard error of it (Breiman et al., Classification and
    Regression Trees, 1984, section 3.4.3), it is the smallest: words that have their say can be read.
    """
    spread = float(cosines.std())
    middle = float(term_scores.std()) / spread if spread else 0.0
    if not middle:  # one side says nothing, so that any weight ranks the same
        return 1.0
    weights = middle * 2 ** np.linspace(-_OCTAVES, _OCTAVES, 2 * _OCTAVES * _STEPS + 1)
    gains = [_gains(term_scores + np.float32(weight) * cosines, right) for weight in weights]
    best = max(gains, key=lambda gain: gain.mean())
    alike = next(w for w, gain in zip(weights, gains, strict=True) if _within_one_error(best - gain))
    return float(f"{alike:.3g}")


def _within_one_error(less: Gains) -> bool:
    """Whether a mean difference [Q] is no larger than its own standard error."""
    return bool(less.mean() <= less.std() / len(less) ** 0.5)


def ranks(scores: Floats, right: Right) -> npt.NDArray[np.float64]:
    """The rank from 1 of the first right item of each query, [Q]; of what ties with it, half goes before."""
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    wrong = ~right
    above = ((scores > best) & wrong).sum(1)
    ranked: npt.NDArray[np.float64] = 1 + above + ((scores == best) & wrong).sum(1) / 2
    return ranked


def recalls(scores: Floats, right: Right) -> tuple[float, ...]:
    """R@1, R@5 and R@10 in per cent of scores [Q, N]."""
    found = ranks(scores, right)
    return tuple(float(100 * (found < k + 1).mean()) for k in (1, 5, 10))


def _gains(scores: Floats, right: Right) -> Gains:
    """Of each query, [Q]."""
    return 1 / np.log2(1 + ranks(scores, right))
