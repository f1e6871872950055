"""Whether the first words of images are those that people say: compared with the images' captions."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet
from lexel.pipeline.stats.over_said import FIRST, OverSaid, over_said

# The number of first words that are looked up in the captions.
LOOKED_AT = 5


@dataclass(frozen=True)
class WordTruth:
    """The percentage of the first LOOKED_AT words that stand in a caption of the image, and words said too often."""

    first: float
    over_said: list[OverSaid]


def word_truth(collection: EvaluationSet, vocabulary: Vocabulary) -> WordTruth | None:
    """The truth of the words in a captioned collection, None in another."""
    if collection.captions is None:
        return None
    held: dict[str, set[str]] = {}
    for uri, text in zip(collection.captions.uris, collection.captions.texts, strict=True):
        held.setdefault(uri, set()).update(vocabulary.count(text or ""))
    said, expected = np.zeros((2, len(vocabulary)))
    right = looked_at = 0
    for uri, terms in zip(collection.pictures.uris, collection.pictures.terms, strict=True):
        captioned, first = held.get(uri, set()), list(islice(terms, FIRST))
        right += sum(term in captioned for term in first[:LOOKED_AT])
        looked_at += len(first[:LOOKED_AT])
        said[[vocabulary.index[term] for term in first]] += 1
        expected[[vocabulary.index[term] for term in captioned]] += 1
    count = len(collection.pictures)
    return WordTruth(100 * right / max(1, looked_at), over_said(vocabulary.terms, said / count, expected / count))
