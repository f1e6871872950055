"""Weighted words: how they are rounded, cut to a budget and added up.

A weight is rounded once, to a number that both of OpenSearch's encodings hold exactly: `rank_features` keeps 9
significant bits, and the `words` field keeps whole term frequencies. So the engine's score of either field, and the sum
worked out here, are the same number.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Terms = Mapping[str, float]

# A weight of 1.0 is the term frequency 128: a power of two, so that dividing by it again is exact. mappings/index.json
# holds the same number.
FREQUENCY_SCALE = 128
# Lucene's FeatureField stores the upper 17 bits of a float: sign, exponent and 8 bits after the leading one.
_STORED_BITS = 8


def quantise(weights: npt.ArrayLike) -> Floats:
    """Round weights >= 0, of any shape, to what the index stores: multiples of 1/128 with 9 significant bits.

    What is nearer to 0 than to 1/128 becomes 0.
    """
    exact = np.asarray(weights, dtype=np.float64)
    exponent = np.floor(np.log2(np.maximum(exact, 2.0**-16)))
    step = np.maximum(1 / FREQUENCY_SCALE, 2.0 ** (exponent - _STORED_BITS))
    return (np.round(exact / step) * step).astype(np.float32)


def importance(document_frequency: Sequence[float]) -> Floats:
    """What a unit of weight on each term is worth, [V]: sqrt(p(1 - p)), the spread that it adds to queries' scores.

    p is the share of captions that hold the term. Cutting by weight alone would drop the common words, whose folded
    query weight is small, and these are the words that people type.
    """
    p = np.asarray(document_frequency, dtype=np.float64)
    return np.sqrt(p * (1 - p)).astype(np.float32)


def prune(weights: Floats, worth: Floats, terms: Sequence[str], *, keep: int) -> list[dict[str, float]]:
    """Keep the `keep` terms of each row of `weights` [B, V] with the most weight x `worth` [V].

    They stand in the order in which they read best, by weight x sqrt(worth): by weight alone, rare words come before
    what the picture is of; by contribution alone, it begins with what most pictures are of.
    """
    stored = quantise(weights)
    contribution = stored * worth
    rows = []
    for weight, value in zip(stored, contribution, strict=True):
        # A stable sort, so that equal contributions fall the same way on every machine.
        best = np.argsort(-value, kind="stable")[:keep]
        best = best[weight[best] > 0]
        best = best[np.argsort(-weight[best] * np.sqrt(worth[best]), kind="stable")]
        rows.append({terms[i]: float(weight[i]) for i in best})
    return rows


def score(query: Terms, item: Terms) -> float:
    """The sum over shared terms of query weight x stored weight: what OpenSearch computes for `terms` and `words`."""
    return sum(weight * item[term] for term, weight in query.items() if term in item)


def frequencies(weights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Weights of any shape as the term frequencies of the `words` field, which says "dog|403 snow|293"."""
    found: npt.NDArray[np.int64] = np.rint(np.asarray(weights) * FREQUENCY_SCALE).astype(np.int64)
    return found
