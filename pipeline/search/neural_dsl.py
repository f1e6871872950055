"""Queries for clusters with the neural-search plugin: `neural_sparse`, and `hybrid` with a search pipeline.

The queries of query_dsl.py run on these clusters too: they rank terms alike, and hybrid queries by the exact sum. Those
here have scores normalised, or ranks fused, by the cluster. Source: the OpenSearch documentation of the hybrid query,
the normalization processor and the score ranker processor.
"""

from lexel.pipeline.search.query_dsl import DEPTH, SOURCE, Dsl, Filters, Fusion, Terms, Vector, heaviest, nearest

# `lexel load` stores these, from mappings/pipelines.json, if the cluster has the plugin.
PIPELINES: dict[Fusion, str] = {"mean": "lexel-mean", "rrf": "lexel-rrf"}
# The largest token weight that the plugin accepts.
_HEAVIEST = 64.0


def terms(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """Weighted terms as `neural_sparse`. Scores equal those of `query_dsl.terms`, or are proportional to them."""
    return {"size": k, "query": _among(_sparse(weights), filters), "_source": SOURCE}


def hybrid(
    weights: Terms, *, vector: Vector, fusion: Fusion, k: int = 10, filters: Filters = (), depth: int = DEPTH
) -> Dsl:
    """Terms and vector, fused by the search pipeline of `fusion`."""
    sides = [_among(_sparse(weights), filters), nearest(vector, depth // 2, filters)]
    clause: Dsl = {"queries": sides, "pagination_depth": depth}
    return {"size": k, "query": {"hybrid": clause}, "search_pipeline": PIPELINES[fusion], "_source": SOURCE}


def _sparse(weights: Terms) -> Dsl:
    chosen = {term: weight for weight, term in heaviest(weights)}
    if not chosen:
        return {"match_none": {}}
    most = max(chosen.values())
    scale = min(1.0, _HEAVIEST / most)
    return {"neural_sparse": {"terms": {"query_tokens": {term: weight * scale for term, weight in chosen.items()}}}}


def _among(query: Dsl, filters: Filters) -> Dsl:
    return {"bool": {"must": [query], "filter": list(filters)}} if filters else query
