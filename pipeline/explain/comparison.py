"""Why one item stands above another, and the smallest change of the query's words that would swap the two."""

from dataclasses import dataclass
from typing import Any

from lexel.pipeline.explain.counterfactual import _swap
from lexel.pipeline.explain.score_parts import Difference, Stored, differences, score, stored
from lexel.pipeline.search.encode_query import question
from lexel.pipeline.search.index import Index
from lexel.pipeline.search.request import Ask


@dataclass(frozen=True)
class Comparison:
    """Why `above` scores more than `below`: by which terms, what speaks most for it first, and by the vector.

    `swap` is the query line, as near to the present one as can be, for which `below` scores more; None where no change
    of a few words does it.
    """

    above: Stored
    below: Stored
    scores: tuple[float, float]
    terms: tuple[Difference, ...]
    vector: float
    swap: str | None


def compare(index: Index, ask: Ask, first: str, second: str) -> Comparison:
    """Compare two items, by id or uri, whichever of them stands above. Raises ClusterError where one is not there."""
    wanted, _ = question(index, ask)
    pair = [stored(index, ref) for ref in (first, second)]
    ranked = sorted(pair, key=lambda item: -score(wanted, item, mode=ask.mode))
    above, below = ranked
    scores = score(wanted, above, mode=ask.mode), score(wanted, below, mode=ask.mode)
    terms = differences(wanted, above, below)
    vector = scores[0] - scores[1] - sum(one.share for one in terms)
    return Comparison(
        above, below, scores, terms, vector if len(wanted.vector) else 0.0, _swap(index, ask, above, below)
    )


def as_json(found: Comparison) -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "above": {"id": found.above.id, "uri": found.above.uri, "score": found.scores[0]},
        "below": {"id": found.below.id, "uri": found.below.uri, "score": found.scores[1]},
        "terms": [{"term": one.term, "above": one.above, "below": one.below} for one in found.terms],
        "vector": found.vector,
        "swap": found.swap,
    }
