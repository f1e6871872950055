"""Queries for clusters with neural-search, by their shape: this plugin is not on the tests' node."""

from typing import Any

from lexel.mappings import pipelines
from lexel.pipeline.search import neural_dsl
from lexel.pipeline.search.filters import parse_filter

VECTOR = [0.6, 0.8]
NIGHT = parse_filter("time=night")


def test_terms_as_tokens_within_the_plugins_limits() -> None:
    body = neural_dsl.terms({"dog": 200.0, "snow": 50.0, "no": 0.0, "less": -1.0}, k=3)
    assert body["query"] == {"neural_sparse": {"terms": {"query_tokens": {"dog": 64.0, "snow": 16.0}}}}
    assert body["size"] == 3
    light = neural_dsl.terms({"dog": 2.0}, filters=[NIGHT])["query"]["bool"]
    assert light["must"] == [{"neural_sparse": {"terms": {"query_tokens": {"dog": 2.0}}}}]
    assert light["filter"] == [NIGHT]
    assert neural_dsl.terms({})["query"] == {"match_none": {}}


def test_hybrid_filters_each_side_and_names_its_pipeline() -> None:
    for fusion in ("mean", "rrf"):
        body = neural_dsl.hybrid({"dog": 1.0}, vector=VECTOR, fusion=fusion, filters=[NIGHT], depth=80)
        sparse, dense = body["query"]["hybrid"]["queries"]
        assert sparse["bool"]["filter"] == [NIGHT]
        assert dense["knn"]["vector"] == {"vector": VECTOR, "k": 40, "filter": {"bool": {"filter": [NIGHT]}}}
        assert body["query"]["hybrid"]["pagination_depth"] == 80
        assert body["search_pipeline"] in pipelines()


def test_the_pipelines_join_two_sides() -> None:
    kinds: dict[str, Any] = {name: body["phase_results_processors"][0] for name, body in pipelines().items()}
    mean = kinds["lexel-mean"]["normalization-processor"]
    assert mean["normalization"] == {"technique": "min_max"}
    assert mean["combination"] == {"technique": "arithmetic_mean", "parameters": {"weights": [0.5, 0.5]}}
    assert kinds["lexel-rrf"]["score-ranker-processor"]["combination"]["technique"] == "rrf"
