"""Calibrates a new encoder on the validation captions: the vector weight in hybrid, and the cut-off of neighbours."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import Model
from lexel.pipeline.calibrate.cutoff import least_cosine
from lexel.pipeline.calibrate.hybrid_weight import MOST_QUERIES, Floats, best_weight
from lexel.pipeline.iterators import batched
from lexel.pipeline.train.data.training_set import TrainingSet


def calibrated(model: Model, encoder: Encoder, data: TrainingSet, texts: Tensor) -> dict[str, dict[str, float]]:
    """What calibration.json holds, for queries of "text" and "image"; `texts` [C, D] are the unit vectors of all
    captions. Without a pair that is wrong there is no cut-off.
    """
    pictures = np.arange(min(len(data), MOST_QUERIES))
    captions = np.flatnonzero(data.owner < len(pictures))[:MOST_QUERIES]
    parts = [model.of_features(data.views[0][rows]) for rows in np.array_split(pictures, 1 + len(pictures) // 1000)]
    vectors = np.concatenate([part.vectors for part in parts])
    terms = [own for part in parts for own in part.terms]
    caption_texts = [data.texts[i] for i in captions]
    column = encoder.vocabulary.index
    stored, kept = _table(terms, column), _table(_in_parts(model.items_of, caption_texts), column)
    asked, shown = (
        _table(_in_parts(model.queries, caption_texts), column),
        _table([encoder.picture_query(own) for own in terms], column),
    )
    cosines = vectors @ texts[captions].float().numpy().T
    right = data.owner[captions][None] == pictures[:, None]
    captioned = right.any(1)
    weights = {
        "text": best_weight(asked @ stored.T, np.ascontiguousarray(cosines.T), right.T),
        "image": best_weight((shown @ kept.T)[captioned], cosines[captioned], right[captioned]),
    }
    if right.all():
        return {"vector_weight": weights}
    # Of a pair of a text and a picture, either may ask.
    return {"vector_weight": weights, "least_cosine": dict.fromkeys(weights, least_cosine(cosines, right).cosine)}


def _in_parts(make: Callable[[Sequence[str]], list[dict[str, float]]], texts: Sequence[str]) -> list[dict[str, float]]:
    """`make` applied to `texts` in batches, since some heads run a network on them."""
    return [terms for some in batched(texts, 128) for terms in make(some)]


def _table(rows: Sequence[dict[str, float]], column: Mapping[str, int]) -> Floats:
    table = np.zeros((len(rows), len(column)), np.float32)
    for line, weights in zip(table, rows, strict=True):
        for term, weight in weights.items():
            line[column[term]] = weight
    return table
