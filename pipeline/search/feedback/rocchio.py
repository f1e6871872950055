"""Rocchio's relevance feedback: a query moves towards what it should be like, and away from what it should not.

    moved = a x query + b x mean of the liked - GAMMA x mean of the unliked

Vectors and words are moved alike. J. J. Rocchio, "Relevance feedback in information retrieval" (The SMART Retrieval
System, 1971), as in Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), section 9.1.1: words
count by their direction, so the means are as long as the query, and a weight that falls below 0 is none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Terms = Mapping[str, float]
Vector = Sequence[float]

# What an item should not be like counts less than what it should: Manning et al. give 1, 0.75 and 0.15. The first two
# are the share of the text.
GAMMA = 0.15
# Most words that a query of images gains, and that any is said to lose, the strongest: people read and edit them.
MOST_WORDS = 10
# Below this, weights in units of a typed word would say nothing to anybody.
_LEAST = 0.01


@dataclass(frozen=True)
class FeedbackItem:
    """What a query is moved by: the words that say most of an item, with their weights, and its unit vector [D]."""

    words: Terms
    vector: Vector


@dataclass(frozen=True)
class Moves:
    """The words that a query gained, with the weight of each beside what was typed, and those it lost.

    A lost word is one whose weight fell below 0, which is given; in the query it counts nothing. Both have the
    strongest first.
    """

    gained: Terms = field(default_factory=dict)
    lost: Terms = field(default_factory=dict)


@dataclass(frozen=True)
class Rocchio:
    """The formula with its examples, and the share of the query, 0 to 1, beside the liked ones."""

    liked: Sequence[FeedbackItem]
    unliked: Sequence[FeedbackItem]
    share: float

    @property
    def query_factor(self) -> float:
        """a: 1, unless the liked have the larger share."""
        return min(1.0, self.share / (1 - self.share)) if self.liked and self.share < 1 else 1.0

    @property
    def unit(self) -> float:
        """The weight in the moved query of a word that is typed once; 1 where typed words count next to nothing."""
        return self.query_factor if self.query_factor >= _LEAST else 1.0

    @property
    def liked_length(self) -> float:
        """The length of the mean of the liked ones' words, by which they count where no words are typed."""
        return length({word: weight / len(self.liked) for word, weight in _sum(self.liked).items()})

    @property
    def liked_factor(self) -> float:
        """b: 1, unless the query has the larger share."""
        if not self.liked:
            return 0.0
        return min(1.0, (1 - self.share) / self.share) if self.share else 1.0

    def vector(self, query: Vector | None) -> list[float]:
        """The moved unit vector [D]; `query` is None if nothing but examples is given."""
        parts = [(self.liked_factor, self.liked), (-GAMMA, self.unliked)]
        moved = sum(factor * np.mean([one.vector for one in some], axis=0) for factor, some in parts if some)
        if query is not None:
            moved = moved + self.query_factor * np.asarray(query)
        size = float(np.linalg.norm(moved))
        found: list[float] = (moved / size if size else moved).tolist()
        return found

    def moves(self, query: Terms, *, length: float, fixed: Collection[str] = (), most: int = MOST_WORDS) -> Moves:
        """How the words of `query` move, in units of a word typed once; `length` is that of the means.

        Words of the query only gain, at most `most` of them; those in `fixed` are left alone.
        """
        towards, away = _mean(self.liked), _mean(self.unliked)
        by = {
            word: length * (self.liked_factor * towards.get(word, 0.0) - GAMMA * away.get(word, 0.0)) / self.unit
            for word in {**towards, **away}
            if word not in fixed
        }
        return Moves(
            _strongest({word: weight for word, weight in by.items() if weight > 0}, most),
            _strongest({word: weight for word, weight in by.items() if weight < 0 and word not in query}, MOST_WORDS),
        )


def length(words: Terms) -> float:
    """The Euclidean length of weights."""
    return float(np.linalg.norm(list(words.values())))


def _mean(examples: Sequence[FeedbackItem]) -> dict[str, float]:
    """The mean of the examples' words, of length 1."""
    found = _sum(examples)
    size = length(found)
    return {word: weight / size for word, weight in found.items()} if size else {}


def _sum(examples: Sequence[FeedbackItem]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in examples:
        for word, weight in one.words.items():
            found[word] = found.get(word, 0.0) + weight
    return found


def _strongest(weights: Terms, most: int) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:most])
