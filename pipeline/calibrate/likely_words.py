"""Which words of an image are said first: those that a person would say, on images of any source.

How likely a word is to be said, by its weight, is fitted by logistic regression on described images: captioned ones,
where a word is said if one of five captions holds it, and labelled ones, where the words of labels are said. That is
carried over to images of any source by how common words are in the captions of two (Saerens et al., "Adjusting the
Outputs of a Classifier to New a Priori Probabilities", Neural Computation 2002). Then words that are said of too many
images of several collections are held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from lexel.encoders.model import Model
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.stats.over_said import FIRST, FIVE_CAPTIONS

# A word that is said of so many times the images whose captions hold it is held back.
_TOO_OFTEN, _ROUNDS, _STEP = 2.0, 40, 0.3
# Added to shares: of few images a share is known badly.
_SMOOTH = 0.003
# Penalties of a word's own intercept and slope, which shrink them towards those of all words.
_OWN_LEVEL, _OWN_SLOPE = 0.5, 2.0
_LEAST_SLOPE = 0.3

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Described:
    """Images with features [P, F], the words said of them [P, V], and the words of which that is known [V]."""

    features: Tensor
    said: Flags
    known: Flags


@dataclass(frozen=True)
class LookedAt:
    """Images with features [P, F], and the share of them that each word is expected to be said of [V]."""

    features: Tensor
    expected: Floats


@dataclass(frozen=True)
class Usual:
    """The share of images one of whose captions holds each word [V]: of those learned from, and elsewhere."""

    here: Floats
    elsewhere: Floats

    @property
    def mixed(self) -> Floats:
        """The mean: what captions of images of both sources hold."""
        mean: Floats = (self.here + self.elsewhere) / np.float32(2)
        return mean

    @property
    def anywhere(self) -> Floats:
        """The geometric mean: a word that only one source uses is rare on images of others."""
        shares: Floats = np.sqrt((self.here + _SMOOTH) * (self.elsewhere + _SMOOTH))
        return shares


def held(known: Vocabulary, captions: Sequence[Sequence[str]]) -> Flags:
    """Which words the captions of each image hold, [P, V]."""
    rows = np.zeros((len(captions), len(known)), bool)
    for row, own in zip(rows, captions, strict=True):
        row[[known.index[term] for caption in own for term in known.count(caption)]] = True
    return rows


def usual(known: Vocabulary, captions: Sequence[Sequence[str]], sentences: Sequence[str]) -> Usual:
    """By the captions of each image learned from, and by single sentences about others."""
    elsewhere = np.zeros(len(known), np.float32)
    for sentence in sentences:
        elsewhere[[known.index[term] for term in known.count(sentence)]] += FIVE_CAPTIONS / len(sentences)
    return Usual(held(known, captions).mean(0).astype(np.float32), np.minimum(elsewhere, 0.95))


def likely_words(model: Model, described: Sequence[Described], shares: Usual, looked_at: Sequence[LookedAt]) -> Floats:
    """`likely` [2, V] of a Model; words that are said too often of the images `looked_at` are held back.

    `described` are best not the images that `model` learned from, of which its words are too certain.
    """
    likely = _fitted([(kept_weights(model, one.features), one) for one in described], shares)
    seen = [(kept_weights(model, one.features), one.expected) for one in looked_at]
    for _ in range(_ROUNDS):
        excess = np.zeros(len(shares.here), np.float32)
        for weights, expected in seen:
            share = said_first(weights, likely).mean(0)
            excess += np.maximum(0, np.log((share + 0.01) / (_TOO_OFTEN * expected + 0.01))) / len(seen)
        likely[0] -= _STEP * excess
    return likely


def kept_weights(model: Model, features: Tensor) -> Floats:
    """The weights [P, V] that are stored of images with features [P, F]."""
    rows = np.zeros((len(features), len(model.vocabulary)), np.float32)
    for start in range(0, len(features), 1000):
        found = model.of_features(features[start : start + 1000].numpy()).terms
        for row, terms in zip(rows[start:], found, strict=False):
            for term, weight in terms.items():
                row[model.vocabulary.index[term]] = weight
    return rows


def said_first(weights: Floats, likely: Floats, first: int = FIRST) -> Flags:
    """Which words are among the `first` of each image, [P, V]."""
    there = weights > 0
    value = np.where(there, likely[0] + likely[1] * np.log(np.where(there, weights, 1)), -np.inf)
    count = min(first, value.shape[1])  # a vocabulary may have fewer words
    least = np.partition(value, -count, axis=1)[:, -count, None]
    return (value >= least) & there


def _fitted(images: Sequence[tuple[Floats, Described]], shares: Usual) -> Floats:
    """`likely` [2, V] by logistic regression on the logarithm of the weight.

    Each word has an intercept and a slope of its own, shrunk towards the common ones, and a part that depends on how
    often the word is said of these images; for the result that is how often it is said anywhere.
    """
    parts = []
    for weights, one in images:
        row, term = np.nonzero(weights * one.known)
        usual_here = np.log(one.said.mean(0)[term] + _SMOOTH)
        parts.append((term, np.log(weights[row, term]), usual_here, one.said[row, term]))
    columns = [torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True)]
    place, strength, common, said = columns
    line = torch.tensor([0.0, 1.0, 0.5], requires_grad=True)
    own = torch.zeros(2, len(shares.here), requires_grad=True)
    search = torch.optim.LBFGS([line, own], max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        logits = line[0] + own[0, place] + (line[1] + own[1, place]) * strength.float() + line[2] * common.float()
        shrunk = _OWN_LEVEL * own[0].square().sum() + _OWN_SLOPE * own[1].square().sum()
        value = binary_cross_entropy_with_logits(logits, said.float(), reduction="sum") + shrunk
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    (start, slope, by_share), more = line.detach().numpy(), own.detach().numpy()
    level = start + by_share * np.log(shares.anywhere) + more[0]
    return np.stack([level, np.maximum(slope + more[1], _LEAST_SLOPE)]).astype(np.float32)
