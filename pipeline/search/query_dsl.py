"""Builds request bodies in OpenSearch query DSL, as plain dicts; needs no network, torch or encoder.

    from lexel.pipeline import query_dsl
    client.search(index="photos", body=query_dsl.hybrid({"dog": 1, "snow": 1}, vector=v, weight=8.0))

`terms` and `words` give the same scores: the dot product of query weights and stored weights; an item without a shared
term is no hit. `vector` scores 1 + cosine. `hybrid` scores terms + weight x (1 + cosine), exactly, for all candidates
of either side. With `written`, words as the analyzer of that field makes them and their weights, each of them adds its
weight to an item in whose captions, title, description or keywords it stands; such a word makes a hit by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from lexel.pipeline.errors import ConfigError

Dsl = dict[str, Any]
Terms = Mapping[str, float]
Vector = Sequence[float]
Filters = Sequence[Dsl]
# Which fields of an item are searched.
Mode = Literal["terms", "words", "vector", "hybrid"]
MODES: tuple[Mode, ...] = ("terms", "words", "vector", "hybrid")
# How a hybrid query combines terms and vector: by the exact sum, or by a search pipeline (see neural_dsl.py).
Fusion = Literal["exact", "mean", "rrf"]
FUSIONS: tuple[Fusion, ...] = ("exact", "mean", "rrf")

# Lucene's limit on the clauses of one query; the heaviest terms are kept.
MAX_CLAUSES = 1024
# The number of candidates that a hybrid query ranks, half of them the nearest vectors. The ten best are then nearly
# always those of exact fusion: tests/pipeline/search/test_query_dsl.py requires an overlap of 0.99.
DEPTH = 200
# OpenSearch's limit on `from` + `size`.
MAX_RESULTS = 10_000
# Most words of one query that are searched in what people wrote, the heaviest first.
MAX_WRITTEN = 100
# More than the terms of any vocabulary, and within the limit of OpenSearch on the values of one aggregation.
MANY = 65_000
# Larger than any sum of terms, so that in the first phase the nearest vectors surely reach the window.
_LIFT = 1000.0
# Fields that results do not need are not fetched; the vector is large.
_NONE: Terms = MappingProxyType({})
SOURCE = {"excludes": ["vector", "words", "shard", "thumbnail", "map"]}


def terms(weights: Terms, *, k: int = 10, filters: Filters = (), written: Terms = _NONE) -> Dsl:
    """Weighted terms against the learned weights of `terms`."""
    return _body(_filtered(_term_clauses(weights, filters, written), filters), k)


def words(text: str, *, factors: Terms = _NONE, k: int = 10, filters: Filters = (), written: Terms = _NONE) -> Dsl:
    """Text, scored with the same weights: OpenSearch's analyzer maps words to terms, so that no encoder is needed.

    `factors` are further words with their boosts.
    """
    parts = [(text, 1.0)] * bool(text.strip()) + [(word, factor) for word, factor in factors.items() if factor > 0]
    clauses = [{"match": {"words": {"query": one} | ({"boost": by} if by != 1 else {})}} for one, by in parts]
    return _body(_filtered([*clauses, *_written_clauses(written)], filters), k)


def weighted_words(weights: Terms, *, k: int = 10, filters: Filters = (), written: Terms = _NONE) -> Dsl:
    """Weighted terms with the scores of `terms`, on the field `words`, for an index without the field `terms`.

    A `term` clause is not analyzed.
    """
    beside = _written_clauses(written)
    some = heaviest(weights, filters, beside=len(beside))
    clauses = [{"term": {"words": {"value": term, "boost": weight}}} for weight, term in some]
    return _body(_filtered([*clauses, *beside], filters), k)


def vector(values: Vector, *, k: int = 10, filters: Filters = (), depth: int = 0, least: float | None = None) -> Dsl:
    """The k items with the nearest unit vectors [D]; filters are applied during the search, not to its results.

    With `depth` above k, as many neighbours are searched, so that all pages are cut from one list. Those with a cosine
    below `least` are left out.
    """
    return _body(nearest(values, max(k, depth), filters, least=least), k)


def hybrid(
    weights: Terms,
    *,
    vector: Vector,
    weight: float,
    k: int = 10,
    filters: Filters = (),
    depth: int = DEPTH,
    written: Terms = _NONE,
    least: float | None = None,
) -> Dsl:
    """Terms and vector in one score: sum of terms + `weight` x (1 + cosine), on any OpenSearch with k-NN.

    First phase: items that share a term, and the `depth` / 2 nearest vectors, with a boost that puts them into the
    rescore window. Second phase: the exact score of the `depth` items in the window. (A knn clause in a bool query
    would score its own k hits only.) All pages with the same `depth` are cut from one list. A neighbour with a cosine
    below `least` that shares no term is no result.
    """
    near = max(depth // 2, k)
    lifted = {"constant_score": {"filter": nearest(vector, near, filters, least=least), "boost": _LIFT}}
    clauses = _term_clauses(weights, filters, written)
    return _body(_filtered([*clauses, lifted], filters), k) | {
        "rescore": {
            "window_size": 2 * near,
            "query": {
                "query_weight": 0.0,
                "rescore_query_weight": 1.0,
                "rescore_query": _fused(clauses, vector, weight),
            },
        }
    }


def everything(*, k: int = 10, filters: Filters = ()) -> Dsl:
    """All items that pass the filters, each with a score of 0."""
    return _body({"bool": {"filter": list(filters)}}, k) | {"track_total_hits": True}


def stored(ids: Sequence[str], *, k: int) -> Dsl:
    """The documents with these ids; of several indices, each may have one."""
    return _body({"ids": {"values": list(ids)}}, k)


def with_page(body: Dsl, *, offset: int, k: int) -> Dsl:
    """Restrict `body` to `k` results from the `offset`-th, from 0. Ties are sorted by id, except in `hybrid` queries.

    Raises ConfigError if the query does not rank that many results.
    """
    ranked = body["rescore"]["window_size"] if "rescore" in body else MAX_RESULTS
    if offset + k > ranked:
        raise ConfigError(f"This query ranks only {ranked:,} results: request fewer, or a larger depth.")
    order: Dsl = {} if "rescore" in body else {"sort": [{"_score": "desc"}, {"id": "asc"}]}
    return body | {"from": offset, "size": k} | order


def collapse_duplicates(body: Dsl) -> Dsl:
    """Only the best of each group of near-duplicates. Raises ConfigError for `hybrid` queries."""
    if "rescore" in body:
        raise ConfigError("OpenSearch cannot collapse the results of a hybrid query; use another mode.")
    return body | {"collapse": {"field": "near"}}


def with_facets(body: Dsl, *, fields: Mapping[str, int], dates: Collection[str] = ()) -> Dsl:
    """Add facets over all matching items: `fields` maps each field to the number of its commonest values.

    Of `dates` the years are counted, all that there are. The counts are exact, since each shard returns up to MANY
    values.
    """
    facets = {name: years(name) if name in dates else _values(name, size) for name, size in fields.items()}
    return body | {"aggs": facets, "track_total_hits": True}


def _values(field: str, size: int) -> Dsl:
    return {"terms": {"field": field, "size": size, "shard_size": MANY}}


def years(field: str) -> Dsl:
    """The aggregation that counts the years of a date field, the commonest first."""
    by_year = {"calendar_interval": "year", "format": "yyyy", "min_doc_count": 1, "order": {"_count": "desc"}}
    return {"date_histogram": {"field": field, **by_year}}


def _term_clauses(weights: Terms, filters: Filters, written: Terms) -> list[Dsl]:
    beside = _written_clauses(written)
    clauses: list[Dsl] = [
        {"rank_feature": {"field": f"terms.{term}", "boost": weight, "linear": {}}}
        for weight, term in heaviest(weights, filters, beside=len(beside))
    ]
    return clauses + beside


def _written_clauses(written: Terms) -> list[Dsl]:
    """A clause for each word, under a name by which OpenSearch says of each hit that it matched."""
    some = heaviest(written)[:MAX_WRITTEN]
    return [{"term": {"written": {"value": word, "boost": weight, "_name": word}}} for weight, word in some]


def heaviest(weights: Terms, filters: Filters = (), *, beside: int = 0) -> list[tuple[float, str]]:
    """Each weight above 0 with its term, the heaviest first, as many as one query may hold beside its filters.

    In hybrid the filters stand twice. `beside` is the number of its other clauses.
    """
    some = ((weight, term) for term, weight in weights.items() if weight > 0)
    return sorted(some, key=lambda pair: (-pair[0], pair[1]))[: max(1, MAX_CLAUSES - 2 - 2 * len(filters) - beside)]


def _filtered(should: list[Dsl], filters: Filters) -> Dsl:
    if not should:  # no known term: an empty bool would match everything
        return {"match_none": {}}
    # Without the minimum, everything that passes the filters would match, with a score of 0.
    return {"bool": {"should": should, "minimum_should_match": 1, "filter": list(filters)}}


def nearest(values: Vector, k: int, filters: Filters, *, least: float | None = None) -> Dsl:
    """The clause for the k nearest vectors among the items that pass the filters, those with a cosine below `least`
    left out.
    """
    clause: Dsl = {"vector": [float(x) for x in values], "k": k}
    if filters:
        clause["filter"] = {"bool": {"filter": list(filters)}}
    found: Dsl = {"knn": {"vector": clause}}
    if least is None:
        return found
    # A threshold of the knn clause itself finds more than k, and no older OpenSearch has it.
    score = 1 + least if least >= 0 else 1 / (1 - least)
    return {"script_score": {"query": found, "script": {"source": "_score"}, "min_score": score}}


def _fused(clauses: Sequence[Dsl], values: Vector, weight: float) -> Dsl:
    """clauses + weight x (1 + cosine) for every document: match_all at 0 lets those in that match no clause."""
    every = {"match_all": {"boost": 0.0}}
    script = {
        "source": "_score + params.weight * (1.0 + innerProduct(params.vector, doc['vector']))",
        "params": {"weight": weight, "vector": [float(x) for x in values]},
    }
    return {"script_score": {"query": {"bool": {"should": [*clauses, every]}}, "script": script}}


def _body(query: Dsl, k: int) -> Dsl:
    return {"size": k, "query": query, "_source": SOURCE}
