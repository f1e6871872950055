"""Queries as plain dicts: options in, OpenSearch query DSL out. Nothing here touches the network, torch or an encoder.

    from lexel.pipeline.queries import hybrid
    client.search(index="photos", body=hybrid({"dog": 1, "snow": 1}, vector=v, weight=8.0))

`terms` and `words` give the same scores: the sum over shared terms of query weight x stored weight. An item that shares
no term is no hit. `vector` scores 1 + cosine. `hybrid` scores terms + weight x (1 + cosine), exactly, for every
candidate of either side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lexel.pipeline.errors import ConfigError

Dsl = dict[str, Any]
Terms = Mapping[str, float]
Vector = Sequence[float]
Filters = Sequence[Dsl]

# Lucene's own limit on the clauses of one query; the heaviest terms are kept.
MAX_CLAUSES = 1024
# How many nearest vectors join the candidates of a hybrid query. With a window of twice that, the ten best are nearly
# always those of exact fusion; tests/test_queries.py holds the overlap at 0.99 or more.
CANDIDATES = 100
# Puts the nearest vectors above any sum of terms in the first phase, so that they surely reach the window.
_LIFT = 1000.0
# What a page of results needs; the vector is long and says nothing to a person.
SOURCE = {"excludes": ["vector", "words", "shard"]}


def terms(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """Weighted terms against the learned weights of `terms`."""
    return _body(_filtered(_term_clauses(weights), filters), k)


def words(text: str, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """Plain text against the same weights: OpenSearch itself maps the words to terms. Needs no encoder at all."""
    return _body(_filtered([{"match": {"words": {"query": text}}}], filters), k)


def weighted_words(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """The scores of `terms` from the field `words`, whose search analyzer a `term` clause passes by.

    What a picture, or any weighted query, asks of an index that has no `terms`.
    """
    clauses = [{"term": {"words": {"value": term, "boost": weight}}} for weight, term in _heaviest(weights)]
    return _body(_filtered(clauses, filters), k)


def vector(values: Vector, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """The nearest unit vectors. A filter is applied while searching, so that k hits come back where k pass it."""
    return _body(_knn(values, k, filters), k)


def hybrid(
    weights: Terms, *, vector: Vector, weight: float, k: int = 10, filters: Filters = (), candidates: int = CANDIDATES
) -> Dsl:
    """Terms and vector in one score: sum of terms + `weight` x (1 + cosine), on any OpenSearch with k-NN.

    First phase: whatever shares a term, and the `candidates` nearest vectors, lifted so that they reach the window.
    Second phase: the exact score of each in the window. Boosting a knn clause beside the terms would give its score to
    its own k hits only.
    """
    near = max(candidates, k)
    nearest = {"constant_score": {"filter": _knn(values=vector, k=near, filters=filters), "boost": _LIFT}}
    return _body(_filtered([*_term_clauses(weights), nearest], filters), k) | {
        "rescore": {
            "window_size": 2 * near,
            "query": {
                "query_weight": 0.0,
                "rescore_query_weight": 1.0,
                "rescore_query": _fused(weights, vector, weight),
            },
        }
    }


def parse_filter(text: str) -> Dsl:
    """`field=value` as a filter; a field that is not one of lexel's own is a metadata field.

    Raises ConfigError for anything else.
    """
    field, equals, value = (part.strip() for part in text.partition("="))
    if not (field and equals and value):
        raise ConfigError(f"The filter {text!r} makes no sense: write field=value, for example place=beach.")
    return {"term": {field_name(field): value}}


def field_name(field: str) -> str:
    """The full name of a field as people call it: `term` is `top_terms`, and a metadata field is under `meta`."""
    if field == "term":
        return "top_terms"
    own = {"id", "uri", "label", "width", "height", "top_terms"}
    return field if field in own or field.startswith("meta.") else f"meta.{field}"


def _term_clauses(weights: Terms) -> list[Dsl]:
    return [
        {"rank_feature": {"field": f"terms.{term}", "boost": weight, "linear": {}}}
        for weight, term in _heaviest(weights)
    ]


def _heaviest(weights: Terms) -> list[tuple[float, str]]:
    """Each weight above 0 with its term, the heaviest first, as many as one query may hold."""
    some = ((weight, term) for term, weight in weights.items() if weight > 0)
    return sorted(some, key=lambda pair: (-pair[0], pair[1]))[: MAX_CLAUSES - 2]


def _filtered(should: list[Dsl], filters: Filters) -> Dsl:
    if not should:  # no known word: an empty bool would match everything
        return {"match_none": {}}
    # Without the minimum, a filter would let everything in that passes it, with a score of 0.
    return {"bool": {"should": should, "minimum_should_match": 1, "filter": list(filters)}}


def _knn(values: Vector, k: int, filters: Filters) -> Dsl:
    clause: Dsl = {"vector": [float(x) for x in values], "k": k}
    if filters:
        clause["filter"] = {"bool": {"filter": list(filters)}}
    return {"knn": {"vector": clause}}


def _fused(weights: Terms, values: Vector, weight: float) -> Dsl:
    """terms + weight x (1 + cosine) for every document: match_all at 0 lets those in that share no term."""
    every = {"match_all": {"boost": 0.0}}
    script = {
        "source": "_score + params.weight * (1.0 + innerProduct(params.vector, doc['vector']))",
        "params": {"weight": weight, "vector": [float(x) for x in values]},
    }
    return {"script_score": {"query": {"bool": {"should": [*_term_clauses(weights), every]}}, "script": script}}


def _body(query: Dsl, k: int) -> Dsl:
    return {"size": k, "query": query, "_source": SOURCE}
