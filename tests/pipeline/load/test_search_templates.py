"""What a load leaves in the cluster: templates that need no lexel, and pipelines where there is neural-search."""

import json

import pytest
from opensearchpy import OpenSearch
from support.drawn import COUNT, Drawn

from lexel.mappings import pipelines, templates
from lexel.pipeline.cluster.capabilities import has_neural
from lexel.pipeline.load.search_templates import store_search_templates
from lexel.pipeline.search.neural_dsl import PIPELINES
from lexel.pipeline.search.query_dsl import SOURCE
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


def asked(client: OpenSearch, name: str, **params: object) -> dict[str, float]:
    answer = client.search_template(index="drawn-images", body={"id": name, "params": params})
    return {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}


def test_a_template_answers_as_lexel_does(drawn: Drawn, client: OpenSearch) -> None:
    for text, params in {
        "two dogs": {"q": "two dogs"},
        '"quoted" dogs\\ \n': {"q": '"quoted" dogs\\ \n'},
        "two +dogs": {"q": "two dogs", "require": "dogs"},
        "two people -dogs": {"q": "two people", "ban": "dogs"},
        "two +people +snow -dogs": {"q": "two people snow", "require": "people snow", "ban": "dogs"},
    }.items():
        expected = {
            hit.id: hit.score for hit in search_index(drawn.images, SearchRequest(text, mode="words", k=25)).hits
        }
        assert asked(client, "lexel-words", size=25, **params) == expected, text


def test_its_pages_facets_and_filters(drawn: Drawn, client: OpenSearch) -> None:
    whole = list(asked(client, "lexel-words", q="dog snow", size=40))
    pages = [asked(client, "lexel-words", q="dog snow", size=10, **{"from": at}) for at in (0, 10, 20, 30)]
    assert [id_ for page in pages for id_ in page] == whole
    night = {"term": {"meta.time": "night"}}
    body = {"id": "lexel-words", "params": {"q": "dog snow", "filter": night, "facets": 5, "size": COUNT}}
    answer = client.search_template(index="drawn-images", body=body)
    assert {hit["_source"]["meta"]["time"] for hit in answer["hits"]["hits"]} == {"night"}
    for bucket in answer["aggregations"]["top_terms"]["buckets"]:
        held = [hit for hit in answer["hits"]["hits"] if bucket["key"] in hit["_source"]["top_terms"]]
        assert len(held) == bucket["doc_count"]


def test_vectors_and_hybrid(drawn: Drawn, client: OpenSearch) -> None:
    text = "a dog in the snow"
    vector = drawn.images.model.text_vectors([text])[0].tolist()
    for name, mode in (("lexel-vector", "vector"), ("lexel-hybrid", "hybrid")):
        expected = {
            hit.id: hit.engine_score
            for hit in search_index(drawn.images, SearchRequest(text, mode=mode, weight=3.0, cutoff=False)).hits  # type: ignore[arg-type]
        }
        found = asked(client, name, q=text, vector=vector, weight=3.0)
        assert found == {id_: pytest.approx(score, rel=1e-6) for id_, score in expected.items()}
        night = {"term": {"meta.time": "night"}}
        assert asked(client, name, q=text, vector=vector, weight=3.0, filter=night).keys() <= {
            hit.id
            for hit in search_index(drawn.images, SearchRequest(text, k=COUNT, filters=[night], cutoff=False)).hits
        }


def test_what_is_stored_and_what_it_leaves_out(drawn: Drawn, client: OpenSearch) -> None:
    assert set(store_search_templates(client)) == set(templates())
    assert not has_neural(client)
    for name, source in templates().items():
        assert json.dumps({"excludes": SOURCE["excludes"]}).strip("{}") in source, name
    assert set(pipelines()) == set(PIPELINES.values())
