"""Queries as plain dicts: options in, OpenSearch query DSL out. Nothing here touches the network, torch or an encoder.

    from lexel.pipeline.queries import hybrid
    client.search(index="photos", body=hybrid({"dog": 1, "snow": 1}, vector=v, weight=8.0))

`terms` and `words` give the same scores: the sum over shared terms of query weight x stored weight. An item that shares
no term is no hit. `vector` scores 1 + cosine. `hybrid` scores terms + weight x (1 + cosine), exactly, for every
candidate of either side.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from lexel.pipeline.errors import ConfigError

Dsl = dict[str, Any]
Terms = Mapping[str, float]
Vector = Sequence[float]
Filters = Sequence[Dsl]
# Which of an item's views is asked.
Mode = Literal["terms", "words", "vector", "hybrid"]
MODES: tuple[Mode, ...] = ("terms", "words", "vector", "hybrid")
# How a hybrid query joins its sides: by the exact sum, or by one of the pipelines in `neural`.
Fusion = Literal["exact", "mean", "rrf"]
FUSIONS: tuple[Fusion, ...] = ("exact", "mean", "rrf")

# Lucene's own limit on the clauses of one query; the heaviest terms are kept.
MAX_CLAUSES = 1024
# How many results of a hybrid query are ranked, half of them the nearest vectors. The ten best are then nearly always
# those of exact fusion; tests/pipeline/search/test_query_dsl.py holds the overlap at 0.99 or more.
DEPTH = 200
# The engine's own limit on how far from the first result a page may end.
MAX_RESULTS = 10_000
# More values than a vocabulary has, and no more than the engine allows in one aggregation.
MANY = 65_000
# Puts the nearest vectors above any sum of terms in the first phase, so that they surely reach the window.
_LIFT = 1000.0
# What a page of results needs; the vector is long and says nothing to a person.
SOURCE = {"excludes": ["vector", "words", "shard", "thumbnail", "map"]}


def terms(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """Weighted terms against the learned weights of `terms`."""
    return _body(_filtered(_term_clauses(weights, filters), filters), k)


def words(text: str, *, factors: Terms = MappingProxyType({}), k: int = 10, filters: Filters = ()) -> Dsl:
    """Plain text against the same weights: OpenSearch itself maps the words to terms. Needs no encoder at all.

    `factors` are words beside the text that count more, or less, than once.
    """
    asked = [(text, 1.0)] * bool(text.strip()) + [(word, factor) for word, factor in factors.items() if factor > 0]
    clauses = [{"match": {"words": {"query": one} | ({"boost": by} if by != 1 else {})}} for one, by in asked]
    return _body(_filtered(clauses, filters), k)


def weighted_words(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """The scores of `terms` from the field `words`, whose search analyzer a `term` clause passes by.

    What a picture, or any weighted query, asks of an index that has no `terms`.
    """
    clauses = [{"term": {"words": {"value": term, "boost": weight}}} for weight, term in heaviest(weights, filters)]
    return _body(_filtered(clauses, filters), k)


def vector(values: Vector, *, k: int = 10, filters: Filters = (), depth: int = 0) -> Dsl:
    """The nearest unit vectors. A filter is applied while searching, so that k hits come back where k pass it.

    With a `depth` above k as many are looked for: pages of one `depth` are cut from one list.
    """
    return _body(nearest(values, max(k, depth), filters), k)


def hybrid(
    weights: Terms, *, vector: Vector, weight: float, k: int = 10, filters: Filters = (), depth: int = DEPTH
) -> Dsl:
    """Terms and vector in one score: sum of terms + `weight` x (1 + cosine), on any OpenSearch with k-NN.

    First phase: whatever shares a term, and the nearest vectors, half as many as the window holds and lifted so that
    they reach it. Second phase: the exact score of each of the `depth` in the window. Boosting a knn clause beside the
    terms would give its score to its own k hits only. Pages of one `depth` are cut from one list.
    """
    near = max(depth // 2, k)
    lifted = {"constant_score": {"filter": nearest(vector, near, filters), "boost": _LIFT}}
    return _body(_filtered([*_term_clauses(weights, filters), lifted], filters), k) | {
        "rescore": {
            "window_size": 2 * near,
            "query": {
                "query_weight": 0.0,
                "rescore_query_weight": 1.0,
                "rescore_query": _fused(weights, vector, weight, filters),
            },
        }
    }


def everything(*, k: int = 10, filters: Filters = ()) -> Dsl:
    """All that passes the filters, each with a score of 0."""
    return _body({"bool": {"filter": list(filters)}}, k) | {"track_total_hits": True}


def with_page(body: Dsl, *, offset: int, k: int) -> Dsl:
    """`k` results from the `offset`-th on. Equal scores are put in the order of ids, but for `hybrid`'s, where the
    engine sorts by nothing but score. Raises ConfigError past what the query ranks.
    """
    ranked = body["rescore"]["window_size"] if "rescore" in body else MAX_RESULTS
    if offset + k > ranked:
        raise ConfigError(f"This query ranks {ranked:,} results and no more: ask for fewer, or for more depth.")
    order: Dsl = {} if "rescore" in body else {"sort": [{"_score": "desc"}, {"id": "asc"}]}
    return body | {"from": offset, "size": k} | order


def collapse_duplicates(body: Dsl) -> Dsl:
    """Of near-duplicates only the best. Raises ConfigError for `hybrid`, which the engine cannot fold by itself."""
    if "rescore" in body:
        raise ConfigError("OpenSearch does not fold results that are scored in two phases.")
    return body | {"collapse": {"field": "near"}}


def with_facets(body: Dsl, *, fields: Mapping[str, int]) -> Dsl:
    """With facets over all that matches, however many are shown: the commonest values of each field, so many.

    The counts are exact: every shard tells as many values as a vocabulary can have.
    """
    facets = {name: {"terms": {"field": name, "size": size, "shard_size": MANY}} for name, size in fields.items()}
    return body | {"aggs": facets, "track_total_hits": True}


def _term_clauses(weights: Terms, filters: Filters = ()) -> list[Dsl]:
    return [
        {"rank_feature": {"field": f"terms.{term}", "boost": weight, "linear": {}}}
        for weight, term in heaviest(weights, filters)
    ]


def heaviest(weights: Terms, filters: Filters = ()) -> list[tuple[float, str]]:
    """Each weight above 0 with its term, the heaviest first, as many as one query may hold beside its filters.

    In hybrid the filters stand twice.
    """
    some = ((weight, term) for term, weight in weights.items() if weight > 0)
    return sorted(some, key=lambda pair: (-pair[0], pair[1]))[: max(1, MAX_CLAUSES - 2 - 2 * len(filters))]


def _filtered(should: list[Dsl], filters: Filters) -> Dsl:
    if not should:  # no known word: an empty bool would match everything
        return {"match_none": {}}
    # Without the minimum, a filter would let everything in that passes it, with a score of 0.
    return {"bool": {"should": should, "minimum_should_match": 1, "filter": list(filters)}}


def nearest(values: Vector, k: int, filters: Filters) -> Dsl:
    """The clause of the k nearest vectors of what passes the filters."""
    clause: Dsl = {"vector": [float(x) for x in values], "k": k}
    if filters:
        clause["filter"] = {"bool": {"filter": list(filters)}}
    return {"knn": {"vector": clause}}


def _fused(weights: Terms, values: Vector, weight: float, filters: Filters) -> Dsl:
    """terms + weight x (1 + cosine) for every document: match_all at 0 lets those in that share no term."""
    every = {"match_all": {"boost": 0.0}}
    script = {
        "source": "_score + params.weight * (1.0 + innerProduct(params.vector, doc['vector']))",
        "params": {"weight": weight, "vector": [float(x) for x in values]},
    }
    return {
        "script_score": {"query": {"bool": {"should": [*_term_clauses(weights, filters), every]}}, "script": script}
    }


def _body(query: Dsl, k: int) -> Dsl:
    return {"size": k, "query": query, "_source": SOURCE}
