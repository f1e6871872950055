"""Compares two items: why one ranks above the other, and the smallest edit of the query that would swap them."""

from dataclasses import asdict, dataclass
from typing import Any

from lexel.pipeline.explain.counterfactual import find_counterfactual
from lexel.pipeline.explain.score_parts import (
    StoredItem,
    TermDifference,
    differences,
    score,
    stored_item,
    with_written,
    written_differences,
)
from lexel.pipeline.search.encode_query import encode_query
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.request import SearchRequest


@dataclass(frozen=True)
class ItemComparison:
    """Why `above` scores more than `below`: the differences by term, the largest first, by the vector, and by the words
    that people wrote.

    `swap` is the edited query for which `below` scores more, None if no small edit was found.
    """

    above: StoredItem
    below: StoredItem
    scores: tuple[float, float]
    terms: tuple[TermDifference, ...]
    vector: float
    swap: str | None
    written: tuple[TermDifference, ...] = ()


def compare_items(index: SearchIndex, request: SearchRequest, first: str, second: str) -> ItemComparison:
    """Compare two items, by id or uri, in either order. Raises NotThereError if one does not exist."""
    encoded, _ = encode_query(index, request)
    pair = [stored_item(index, ref) for ref in (first, second)]
    if request.written_weight:
        # Whatever an edit of the query may add is looked for too.
        added = " ".join(dict.fromkeys(term for item in pair for term in item.terms))
        pair = with_written(index, pair, [*encoded.written, *index.written_words(added)])
    ranked = sorted(pair, key=lambda item: -score(encoded, item))
    above, below = ranked
    scores = score(encoded, above), score(encoded, below)
    terms = differences(encoded, above, below)
    written = written_differences(encoded, above, below)
    vector = scores[0] - scores[1] - sum(one.share for one in (*terms, *written))
    return ItemComparison(
        above,
        below,
        scores,
        terms,
        vector if len(encoded.vector) else 0.0,
        find_counterfactual(index, request, above, below),
        written,
    )


def as_json(found: ItemComparison) -> dict[str, Any]:
    """The comparison as JSON values."""
    return {
        "above": {"id": found.above.id, "uri": found.above.uri, "score": found.scores[0]},
        "below": {"id": found.below.id, "uri": found.below.uri, "score": found.scores[1]},
        "terms": [{"term": one.term, "above": one.above, "below": one.below} for one in found.terms],
        "vector": found.vector,
        **({"written": [asdict(one) for one in found.written]} if found.written else {}),
        "swap": found.swap,
    }
