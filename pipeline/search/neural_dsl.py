"""The same queries for clusters that have the neural-search plugin: `neural_sparse`, and `hybrid` with a pipeline.

The plain queries run on these clusters too, give the same order for terms, and an exact sum in hybrid. These are for
who wants scores normalised, or ranks fused, by the cluster's own means. Source: the OpenSearch documentation of the
hybrid query, the normalization processor and the score ranker processor.
"""

from lexel.pipeline.search.query_dsl import DEPTH, SOURCE, Dsl, Filters, Fusion, Terms, Vector, heaviest, nearest

# `lexel load` installs these where the plugin is; mappings/pipelines.json has them.
PIPELINES: dict[Fusion, str] = {"mean": "lexel-mean", "rrf": "lexel-rrf"}
# The plugin refuses a token's weight above this.
_HEAVIEST = 64.0


def terms(weights: Terms, *, k: int = 10, filters: Filters = ()) -> Dsl:
    """Weighted terms as `neural_sparse`. Scores are those of the plain query, or in proportion to them."""
    return {"size": k, "query": _among(_sparse(weights), filters), "_source": SOURCE}


def hybrid(
    weights: Terms, *, vector: Vector, fusion: Fusion, k: int = 10, filters: Filters = (), depth: int = DEPTH
) -> Dsl:
    """Terms and vector joined by the pipeline of `fusion`; without one the plugin's scores mean nothing."""
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
