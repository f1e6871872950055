"""Why an item scores what it does: each term's part, the vector's, and what it lacks; from what is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.pipeline.search.encode_query import EncodedQuery, encode_query
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


@dataclass(frozen=True)
class StoredItem:
    """What of an item decides its score: its terms' weights and its unit vector [D]."""

    id: str
    uri: str
    terms: Mapping[str, float]
    vector: npt.NDArray[np.float32]
    top_terms: tuple[str, ...]


@dataclass(frozen=True)
class ScorePart:
    """A term that the query asks for and the item has: `asked` x `stored` of the score is its."""

    term: str
    asked: float
    stored: float

    @property
    def share(self) -> float:
        """What it adds to the score."""
        return self.asked * self.stored


@dataclass(frozen=True)
class Explanation:
    """An item's `score` taken apart, the largest part first.

    `vector_part` is what the vector adds, and `cosine` what that is made of; both are None where no vector is asked
    for. `missing` are the terms that the query asks for and the item has not, with their weights in the query;
    `unknown` the words that no item of the index can have. An item that does not `match` is not among the results,
    whatever it would score: it shares no term, or a condition keeps it out.
    """

    item: StoredItem
    score: float
    matches: bool
    parts: tuple[ScorePart, ...]
    vector_part: float | None
    cosine: float | None
    missing: Mapping[str, float]
    unknown: tuple[str, ...]


def explain_item(index: SearchIndex, ref: str, request: SearchRequest) -> Explanation:
    """Why the item that `ref` names, by id or uri, scores what it does for `ask`.

    The score is the engine's own wherever the item matches. Raises ClusterError where there is no such item.
    """
    item = stored_item(index, ref)
    encoded, unknown = encode_query(index, request)
    filters = [*request.filters, {"ids": {"values": [item.id]}}]
    only = replace(request, filters=filters, k=1, paged=False, after=None, facets={})
    there = search_index(index, only).hits
    cosine = _cosine(encoded, item)
    return Explanation(
        item,
        score=score(encoded, item, mode=request.mode),
        matches=bool(there),
        parts=score_parts(encoded, item),
        vector_part=None if cosine is None else _vector_part(encoded, cosine, mode=request.mode),
        cosine=cosine,
        missing={term: weight for term, weight in encoded.weights.items() if term not in item.terms},
        unknown=unknown,
    )


def stored_item(index: SearchIndex, ref: str) -> StoredItem:
    """The item of this id or uri. Raises ClusterError where there is none, or where several have that uri."""
    source = index.item(index.id_of(ref), fields=("id", "uri", "terms", "vector", "top_terms"))
    vector = np.asarray(source["vector"], np.float32)
    return StoredItem(source["id"], source["uri"], source["terms"], vector, tuple(source["top_terms"]))


def score_parts(encoded: EncodedQuery, item: StoredItem) -> tuple[ScorePart, ...]:
    """What each shared term adds, the largest first."""
    shared = [ScorePart(t, weight, item.terms[t]) for t, weight in encoded.weights.items() if t in item.terms]
    return tuple(sorted(shared, key=lambda part: (-part.share, part.term)))


def score(encoded: EncodedQuery, item: StoredItem, *, mode: Mode) -> float:
    """What `item` scores for `wanted`, as the engine computes it."""
    cosine = _cosine(encoded, item)
    dense = 0.0 if cosine is None else _vector_part(encoded, cosine, mode=mode)
    return float(np.float32(sum(part.share for part in score_parts(encoded, item)) + dense))


def _cosine(encoded: EncodedQuery, item: StoredItem) -> float | None:
    """The inner product with the query's vector, which is the cosine where that is one text's or picture's."""
    return float(np.asarray(encoded.vector, np.float32) @ item.vector) if len(encoded.vector) else None


def _vector_part(encoded: EncodedQuery, cosine: float, *, mode: Mode) -> float:
    """weight x (1 + cosine); of a k-NN query alone the engine makes 1 / (1 - cosine) where the cosine is below 0."""
    return 1 / (1 - cosine) if mode == "vector" and cosine < 0 else encoded.weight * (1 + cosine)


def as_json(found: Explanation) -> dict[str, Any]:
    """The explanation for programs."""
    return {
        "id": found.item.id,
        "uri": found.item.uri,
        "score": found.score,
        "matches": found.matches,
        "terms": [{"term": p.term, "asked": p.asked, "stored": p.stored, "share": p.share} for p in found.parts],
        "vector": found.vector_part,
        "cosine": found.cosine,
        "missing": dict(found.missing),
        "unknown": list(found.unknown),
    }


@dataclass(frozen=True)
class TermDifference:
    """A term's part of the distance between two items: `above` and `below` are its parts of their scores."""

    term: str
    above: float
    below: float

    @property
    def share(self) -> float:
        """How much it speaks for the upper item; below 0 for the lower one."""
        return self.above - self.below


def differences(encoded: EncodedQuery, above: StoredItem, below: StoredItem) -> tuple[TermDifference, ...]:
    """What each term that is asked for adds to either score, where that differs."""
    found = [
        TermDifference(term, weight * above.terms.get(term, 0.0), weight * below.terms.get(term, 0.0))
        for term, weight in encoded.weights.items()
    ]
    return tuple(sorted((one for one in found if one.share), key=lambda one: (-one.share, one.term)))
