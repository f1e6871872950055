"""The weight of the vector in a hybrid query, and the score below which results are noise: from a judged split.

All of it is arithmetic on scores in memory, which are those of the index: every pair is scored exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lexel.encoders.encoder import Encoder
from lexel.pipeline.evaluate.directions import Direction, directions
from lexel.pipeline.evaluate.encoded_items import Items, Terms
from lexel.pipeline.evaluate.evaluation_set import Watch, gather, unwatched

Floats = npt.NDArray[np.float32]
Right = npt.NDArray[np.bool_]
Gains = npt.NDArray[np.float64]

# More queries than this make the answer no better, and would not fit in memory with every item.
MOST_QUERIES = 5000
# Six octaves to either side of the weight at which both parts spread equally, in steps of 19 per cent.
_OCTAVES, _STEPS = 6, 4


@dataclass(frozen=True)
class Cutoff:
    """A score: results at or above it are `kept` a query on average, a share `precision` of them and `recall` of all
    right items among them."""

    score: float
    kept: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Tuned:
    """One side's weight before and after, R@1, R@5 and R@10 (0 to 100) with each, and the cut-off of each mode."""

    before: float
    after: float
    recalls_before: tuple[float, ...]
    recalls_after: tuple[float, ...]
    cutoffs: dict[str, Cutoff]


def tune(
    path: str | Path,
    *,
    encoder: Encoder,
    split: str | None = None,
    device: str = "auto",
    batch_size: int = 32,
    watch: Watch = unwatched,
) -> dict[str, Tuned]:
    """The best weight and cut-offs of each side, "text" and "image", on the split of `path`; nothing is stored."""
    collection = gather(path, encoder=encoder, split=split, device=device, batch_size=batch_size, watch=watch)
    found: dict[str, Tuned] = {}
    for direction in directions(collection, encoder, device=device):
        items = collection.captions if direction.captions_sought else collection.pictures
        assert items is not None
        found[direction.side] = _tuned(direction, items, encoder.vector_weight(direction.side))
    return found


def _tuned(direction: Direction, items: Items, before: float) -> Tuned:
    dice = np.random.default_rng(0)
    chosen = np.sort(dice.permutation(len(direction.queries))[:MOST_QUERIES])
    queries = [direction.queries[i] for i in chosen]
    terms = term_scores([query.terms for query in queries], items.terms)
    cosines = np.stack([query.vector for query in queries]) @ items.vectors.T
    place = {id_: i for i, id_ in enumerate(items.ids)}
    right = np.zeros(terms.shape, np.bool_)
    for row, query in enumerate(queries):
        right[row, [place[id_] for id_, grade in direction.right[query.id].items() if grade > 0]] = True
        if direction.alone:
            terms[row, place[query.id]], cosines[row, place[query.id]] = 0.0, -1.0  # the last of all
    after = best_weight(terms, cosines, right)
    modes = {"terms": terms, "vector": 1 + cosines, "hybrid": terms + after * (1 + cosines)}
    return Tuned(
        before,
        after,
        recalls(terms + before * cosines, right),
        recalls(terms + after * cosines, right),
        {mode: best_cutoff(scores, right) for mode, scores in modes.items()},
    )


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


def _gains(scores: Floats, right: Right) -> Gains:
    """Of each query, [Q]."""
    return 1 / np.log2(1 + ranks(scores, right))
