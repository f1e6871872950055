"""Splits the score of an item into the contributions of terms and vector, from its stored fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.pipeline.search.encode_query import EncodedQuery, encode_query
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


@dataclass(frozen=True)
class StoredItem:
    """What determines an item's score: term weights, unit vector [D], and words of a query that people wrote of it."""

    id: str
    uri: str
    terms: Mapping[str, float]
    vector: npt.NDArray[np.float32]
    top_terms: tuple[str, ...]
    written: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ScorePart:
    """A shared term: its weight in the query (`asked`) and in the item (`stored`)."""

    term: str
    asked: float
    stored: float

    @property
    def share(self) -> float:
        """Its contribution to the score, the product of both."""
        return self.asked * self.stored


@dataclass(frozen=True)
class Explanation:
    """The parts of an item's `score`, the largest first.

    `vector_part` is the contribution of the vector, computed from `cosine`; both are None if the query has no vector.
    `typical` is that part for the collection's typical item, None where it is not known, and `engine_score` the score
    as OpenSearch has it (see `Hit`).
    `written` has the contribution of each word that people wrote of the item. `missing` has the terms of the query that
    the item lacks, with their weights; `near` the words without a term in the index that are asked by the nearest one;
    `unknown` the others, `unbanned` those with a minus, and `offers` the terms nearest to these. If the item does not
    match the query (no shared term and no vector near enough, or a filter excludes it), `matches` is False, and `score`
    is hypothetical.
    """

    item: StoredItem
    score: float
    matches: bool
    parts: tuple[ScorePart, ...]
    vector_part: float | None
    cosine: float | None
    missing: Mapping[str, float]
    unknown: tuple[str, ...]
    written: Mapping[str, float] = field(default_factory=dict)
    typical: float | None = None
    engine_score: float = 0.0
    near: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unbanned: tuple[str, ...] = ()
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def explain_item(index: SearchIndex, ref: str, request: SearchRequest) -> Explanation:
    """The parts of the score that the item `ref` (an id or uri) has for `request`.

    The score equals that of the search if the item matches. Raises NotThereError if the item does not exist.
    """
    item = stored_item(index, ref)
    encoded, unknown = encode_query(index, request)
    (item,) = with_written(index, [item], encoded.written)
    filters = [*request.filters, {"ids": {"values": [item.id]}}]
    only = replace(request, filters=filters, k=1, paged=False, after=None, facets={})
    found = search_index(index, only)
    cosine, whole = _cosine(encoded, item), score(encoded, item)
    return Explanation(
        item,
        score=whole,
        matches=bool(found.hits),
        parts=score_parts(encoded, item),
        vector_part=None if cosine is None else encoded.weight * cosine,
        cosine=cosine,
        missing={term: weight for term, weight in encoded.weights.items() if term not in item.terms},
        unknown=unknown,
        written=written_parts(encoded, item),
        typical=index.typical_part(encoded.vector, encoded.weight),
        engine_score=encoded.engine_score_of(whole, mode=request.mode),
        near=encoded.near,
        unbanned=found.unbanned,
        offers=found.offers,
    )


def stored_item(index: SearchIndex, ref: str) -> StoredItem:
    """The item with this id or uri. Raises NotThereError if there is none, or more than one with that uri."""
    source = index.item(ref, fields=("id", "uri", "terms", "vector", "top_terms"))
    vector = np.asarray(source["vector"], np.float32)
    return StoredItem(source["id"], source["uri"], source["terms"], vector, tuple(source["top_terms"]))


def with_written(index: SearchIndex, items: Sequence[StoredItem], words: Iterable[str]) -> list[StoredItem]:
    """The items with those of `words` that people wrote of them."""
    found = index.written_of([item.id for item in items], words)
    return [replace(item, written=found[item.id]) for item in items]


def written_parts(encoded: EncodedQuery, item: StoredItem) -> dict[str, float]:
    """The contribution of each word that people wrote of the item, the largest first."""
    some = [(word, weight) for word, weight in encoded.written.items() if word in item.written]
    return dict(sorted(some, key=lambda pair: (-pair[1], pair[0])))


def score_parts(encoded: EncodedQuery, item: StoredItem) -> tuple[ScorePart, ...]:
    """The contribution of each shared term, the largest first."""
    shared = [ScorePart(t, weight, item.terms[t]) for t, weight in encoded.weights.items() if t in item.terms]
    return tuple(sorted(shared, key=lambda part: (-part.share, part.term)))


def score(encoded: EncodedQuery, item: StoredItem) -> float:
    """The score of `item` for an encoded query."""
    dense = encoded.weight * (_cosine(encoded, item) or 0.0)
    words = sum(written_parts(encoded, item).values())
    return float(np.float32(sum(part.share for part in score_parts(encoded, item)) + words + dense))


def _cosine(encoded: EncodedQuery, item: StoredItem) -> float | None:
    """The inner product with the query vector: the cosine, unless the query is a mean of several; None without one."""
    return float(np.asarray(encoded.vector, np.float32) @ item.vector) if len(encoded.vector) else None


def as_json(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON values."""
    return {
        "id": found.item.id,
        "uri": found.item.uri,
        "score": found.score,
        "_score": found.engine_score,
        "matches": found.matches,
        "terms": [{"term": p.term, "asked": p.asked, "stored": p.stored, "share": p.share} for p in found.parts],
        "vector": found.vector_part,
        "cosine": found.cosine,
        "typical": found.typical,
        **({"written": dict(found.written)} if found.written else {}),
        "missing": dict(found.missing),
        "near": {word: dict(terms) for word, terms in found.near.items()},
        "unknown": list(found.unknown),
        "unbanned": list(found.unbanned),
        "offers": {word: list(terms) for word, terms in found.offers.items()},
    }


@dataclass(frozen=True)
class TermDifference:
    """The contributions of a term, or of a word that people wrote, to the scores of two compared items."""

    term: str
    above: float
    below: float

    @property
    def share(self) -> float:
        """The difference of both; negative if the lower item has more."""
        return self.above - self.below


def differences(encoded: EncodedQuery, above: StoredItem, below: StoredItem) -> tuple[TermDifference, ...]:
    """The terms of the query whose contributions to both scores differ, the largest difference first."""
    found = [
        TermDifference(term, weight * above.terms.get(term, 0.0), weight * below.terms.get(term, 0.0))
        for term, weight in encoded.weights.items()
    ]
    return _ordered(found)


def written_differences(encoded: EncodedQuery, above: StoredItem, below: StoredItem) -> tuple[TermDifference, ...]:
    """The same for the words that people wrote."""
    return _ordered(
        TermDifference(word, weight * (word in above.written), weight * (word in below.written))
        for word, weight in encoded.written.items()
    )


def _ordered(found: Iterable[TermDifference]) -> tuple[TermDifference, ...]:
    return tuple(sorted((one for one in found if one.share), key=lambda one: (-one.share, one.term)))
