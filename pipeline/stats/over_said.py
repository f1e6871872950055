"""Words that are said of far more images than people would say them of.

People read the first words of an image: on the page's chips, in `top_terms`, in Dashboards' cloud. A word is said of an
image if it is among the first ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.encoders.vocabulary.vocabulary import Vocabulary

FIRST = 10
# Of so many times the images whose captions hold a word it may be said, if it is said of this share of all or more.
TOO_OFTEN, OFTEN = 3.0, 0.05
# Some of an image's five captions holds a word about so many times as often as one of them does: Flickr8k's mean over
# words, weighted by their frequency.
FIVE_CAPTIONS = 2.9

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class OverSaid:
    """A term, the share of images of which it is said, and the share whose captions would say it."""

    term: str
    said: float
    expected: float


def expected_shares(vocabulary: Vocabulary) -> Floats:
    """The share of images for which one of five captions holds each term [V], by the vocabulary's own captions."""
    shares = np.array(vocabulary.document_frequency, np.float64)
    return np.minimum(1.0, FIVE_CAPTIONS * shares)


def over_said(terms: Sequence[str], said: Floats, expected: Floats) -> list[OverSaid]:
    """The terms that are said too often, by `said` [V] and `expected` [V] shares of the images, the commonest first."""
    wrong = np.flatnonzero((said >= OFTEN) & (said > TOO_OFTEN * expected))
    ordered = wrong[np.argsort(-said[wrong], kind="stable")]
    return [OverSaid(terms[i], float(said[i]), float(expected[i])) for i in ordered.tolist()]
