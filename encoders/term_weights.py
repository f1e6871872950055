"""Term weights: quantisation, pruning and scoring.

A weight is rounded once, to a number that both fields in OpenSearch store exactly: `rank_features` keeps 9 significant
bits, the `words` field whole term frequencies. So both fields and `score` give the same number.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Terms = Mapping[str, float]

# A weight of 1.0 is stored as the term frequency 128, a power of two so that dividing by it is exact.
# mappings/index.json holds the same number.
FREQUENCY_SCALE = 128
# Lucene's FeatureField stores the upper 17 bits of a float: sign, exponent and 8 bits of the mantissa.
_STORED_BITS = 8


def quantise(weights: npt.ArrayLike) -> Floats:
    """Round weights >= 0, of any shape, to what the index stores: multiples of 1/128 with 9 significant bits."""
    exact = np.asarray(weights, dtype=np.float64)
    exponent = np.floor(np.log2(np.maximum(exact, 2.0**-16)))
    step = np.maximum(1 / FREQUENCY_SCALE, 2.0 ** (exponent - _STORED_BITS))
    return (np.round(exact / step) * step).astype(np.float32)


def importance(document_frequency: Sequence[float]) -> Floats:
    """The importance of each term for pruning [V]: sqrt(p(1 - p)), the standard deviation that it adds to scores.

    p is the share of captions that contain the term. Pruning by weight alone would drop common words, which have small
    weights but are what people type.
    """
    p = np.asarray(document_frequency, dtype=np.float64)
    return np.sqrt(p * (1 - p)).astype(np.float32)


def prune(
    weights: Floats, worth: Floats, terms: Sequence[str], *, keep: int, likely: Floats | None = None
) -> list[dict[str, float]]:
    """Keep the `keep` terms of each row of `weights` [B, V] with the largest weight x `worth` [V].

    They are sorted for people to read, by weight x `likely` [V]; by default that is sqrt(worth), since by weight alone
    rare words come first, and by weight x worth the words that fit most images.
    """
    stored = quantise(weights)
    contribution, first = stored * worth, np.sqrt(worth) if likely is None else likely
    rows = []
    for weight, value in zip(stored, contribution, strict=True):
        # A stable sort, so that ties are broken alike on every machine.
        best = np.argsort(-value, kind="stable")[:keep]
        best = best[weight[best] > 0]
        best = best[np.argsort(-weight[best] * first[best], kind="stable")]
        rows.append({terms[i]: float(weight[i]) for i in best})
    return rows


def score(query: Terms, item: Terms) -> float:
    """The dot product of query weights and stored weights: the score that OpenSearch gives for `terms` and `words`."""
    return sum(weight * item[term] for term, weight in query.items() if term in item)


def frequencies(weights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Weights of any shape as term frequencies for the `words` field, which is written "dog|403 snow|293"."""
    found: npt.NDArray[np.int64] = np.rint(np.asarray(weights) * FREQUENCY_SCALE).astype(np.int64)
    return found
