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
# The number of an item's most important terms, which are stored for facets and filters, and ask for items like it.
TOP_TERMS = 16
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

    They are sorted for people to read, by how `likely` [2, V] they are to be said: by likely[0] + likely[1] x
    log(weight). By default that is by weight x sqrt(worth), since by weight alone rare words come first, and by weight
    x worth the words that fit most images.
    """
    stored = quantise(weights)
    contribution = stored * worth
    rows = []
    for weight, value in zip(stored, contribution, strict=True):
        # A stable sort, so that ties are broken alike on every machine.
        best = np.argsort(-value, kind="stable")[:keep]
        best = best[weight[best] > 0]
        said = _said(weight[best], worth[best], None if likely is None else likely[:, best])
        best = best[np.argsort(-said, kind="stable")]
        rows.append({terms[i]: float(weight[i]) for i in best})
    return rows


def _said(weights: Floats, worth: Floats, likely: Floats | None) -> Floats:
    """The values by which the terms [T] of an image are ordered for people."""
    if likely is None:
        return weights * np.sqrt(worth)
    said: Floats = likely[0] + likely[1] * np.log(weights)
    return said


def score(query: Terms, item: Terms) -> float:
    """The dot product of query weights and stored weights: the score that OpenSearch gives for `terms` and `words`."""
    return sum(weight * item[term] for term, weight in query.items() if term in item)


def added(weights: Terms, *more: Terms) -> dict[str, float]:
    """Term weights with others added to them."""
    found = dict(weights)
    for one in more:
        for term, weight in one.items():
            found[term] = found.get(term, 0.0) + weight
    return found


def frequencies(weights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Weights of any shape as term frequencies for the `words` field, which is written "dog|403 snow|293"."""
    found: npt.NDArray[np.int64] = np.rint(np.asarray(weights) * FREQUENCY_SCALE).astype(np.int64)
    return found
