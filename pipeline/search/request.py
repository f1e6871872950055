"""What people ask of an index, and what that comes to: weighted terms, a direction, and what that is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import DEPTH, FUSIONS, MODES, Filters, Fusion, Mode, Terms, Vector
from lexel.pipeline.search.query_syntax import Line, parse_line
from lexel.pipeline.search.results import Cursor


@dataclass(frozen=True)
class Ask:
    """A search as a person means it: a typed `text` (see `line`), pictures' bytes, items of the index by id, or some of
    each together ("this, but at night").

    `weight` is the vector's in `hybrid`, None for the encoder's own; `share` that of the text beside pictures. `fusion`
    is how hybrid joins its two sides: "exact", or by a pipeline of neural-search (see `neural`). With `fold` only the
    best of near-duplicates comes back; `facets` says how many values to count of which fields. A `paged` answer can be
    gone on with by its cursor, given here as `after`, and ends at `depth` results where a mode asks for vectors. Raises
    ConfigError where nothing is asked for, or what cannot be.
    """

    text: str = ""
    images: tuple[bytes, ...] = ()
    like: tuple[str, ...] = ()
    mode: Mode = "hybrid"
    k: int = 10
    filters: Filters = ()
    weight: float | None = None
    share: float = 0.5
    fusion: Fusion = "exact"
    fold: bool = False
    facets: Mapping[str, int] = field(default_factory=dict)
    paged: bool = False
    after: Cursor | None = None
    depth: int = DEPTH

    @property
    def offset(self) -> int:
        """How many results stand before this page."""
        return self.after.offset if self.after else 0

    def __post_init__(self) -> None:
        if self.after and not self.paged:
            object.__setattr__(self, "paged", True)
        if self.mode not in MODES:
            raise ConfigError(f"There is no mode {self.mode!r}; choose {', '.join(MODES)}.")
        if self.fusion not in FUSIONS:
            raise ConfigError(f"There is no fusion {self.fusion!r}; choose {', '.join(FUSIONS)}.")
        if not (parse_line(self.text).text or self.images or self.like):
            raise ConfigError("Nothing is asked for: give words that are not banned, a picture, or both.")
        if self.mode == "words" and (self.images or self.like):
            raise ConfigError("A picture cannot be searched for in mode words, which takes text; use terms or hybrid.")
        if not 0 <= self.share <= 1:
            raise ConfigError(f"The share of the text is between 0 and 1, not {self.share}.")
        if self.weight is not None and self.weight < 0:
            raise ConfigError(f"The weight of the vector is at least 0, not {self.weight}.")


@dataclass(frozen=True)
class Question:
    """An item scores the sum of `weights` x its own, and in hybrid `weight` x (1 + cosine of `vector` and its own).

    The vector is empty where none is asked for.
    """

    weights: Terms
    vector: Vector
    weight: float


def blended(parts: Sequence[tuple[Question, float]]) -> Question:
    """One question of several: an item scores the mean of its scores for each, by their shares.

    Scores of a picture and of a sentence are not of one size: before they are averaged each is divided by the weight of
    its vector, which makes cosines of both.
    """
    if len(parts) == 1:
        return parts[0][0]
    total = sum(share for _, share in parts) or 1.0
    shares = [share / total for _, share in parts]
    questions = [question for question, _ in parts]
    weight = sum(q.weight * share for q, share in zip(questions, shares, strict=True))
    weights: dict[str, float] = {}
    for question, share in zip(questions, shares, strict=True):
        # With no vector in the score there is nothing to compare by: terms count as they are.
        size = weight / question.weight if question.weight else 1.0
        for term, own in question.weights.items():
            weights[term] = weights.get(term, 0.0) + share * size * own
    vectors = [[share * x for x in q.vector] for q, share in zip(questions, shares, strict=True)]
    return Question(weights, [sum(column) for column in zip(*vectors, strict=True)], weight)


def sided(texts: Sequence[Question], pictures: Sequence[Question], *, share: float) -> Question:
    """Texts and pictures in one question: the texts have `share` of it, and each side's own share alike."""
    if not pictures:
        return blended([(one, 1.0) for one in texts])
    if not texts:
        return blended([(one, 1.0) for one in pictures])
    return blended(
        [(one, share / len(texts)) for one in texts] + [(one, (1 - share) / len(pictures)) for one in pictures]
    )


def factored(weights: Terms, line: Line, terms_of: Callable[[str], Terms]) -> dict[str, float]:
    """`weights` of the line's text with its factors at work; `terms_of` counts the terms of a text."""
    found, counts = dict(weights), terms_of(line.text) if line.factors else {}
    for word, factor in line.factors.items():
        for term, times in terms_of(word).items():
            once = found.get(term, counts[term]) / counts[term]
            found[term] = found.get(term, 0.0) + (factor - 1) * times * once
    return found
