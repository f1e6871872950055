"""The requests of docs/opensearch.md that need plugins: their shapes, and connectors against the real server."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from support.checkout import ROOT
from support.drawn import Drawn
from support.repository.documents import Document
from support.serving import asking, served
from support.web.connector import at, embeddings, predict, token_weights

from lexel.encoders import open_encoder
from lexel.pipeline.search import neural_dsl

TEXTS = ["a dog in the snow", "a boat"]


def requests() -> list[tuple[str, Any]]:
    """The first line and the JSON of each request."""
    found = (block.partition("\n") for block in Document(ROOT / "docs/opensearch.md").blocks("text"))
    return [(first, json.loads(body)) for first, _, body in found if re.match("(PUT|POST) ", first)]


def sent_to(path: str) -> list[Any]:
    return [body for first, body in requests() if first.split()[1] == path]


def connectors() -> dict[str, Any]:
    return {one["name"]: one for one in sent_to("_plugins/_ml/connectors/_create")}


@pytest.fixture(scope="module")
def api(drawn: Drawn, client: OpenSearch) -> Iterator[TestClient]:
    with asking(served(client, token="TOKEN")) as made:
        yield made


def test_terms_are_what_neural_sparse_takes(api: TestClient) -> None:
    encoder = open_encoder()
    assert token_weights(connectors()["lexel-terms"], TEXTS, api) == [encoder.query(text) for text in TEXTS]


def test_vectors_are_what_neural_takes(api: TestClient, drawn: Drawn) -> None:
    found = embeddings(connectors()["lexel-vectors"], TEXTS, api)
    assert [len(one) for one in found] == [len(drawn.images.text_vector("a dog"))] * 2
    assert found[0] == pytest.approx(drawn.images.text_vector(TEXTS[0]), abs=1e-5)


def test_an_ingest_pipeline_finds_both_of_an_image(api: TestClient, drawn: Drawn) -> None:
    text = Document(ROOT / "docs/opensearch.md").text
    (body,) = re.findall(r"`request_body` `(\{.*?\})`", " ".join(text.split()))
    whole = connectors()["lexel-terms"]
    action = {key: value for key, value in whole["actions"][0].items() if key != "pre_process_function"}
    third = whole | {"parameters": {}, "actions": [action | {"request_body": body}]}
    (process,) = sent_to("_ingest/pipeline/lexel-pictures")[0]["processors"]
    (named,) = process["ml_inference"]["input_map"]
    content = (drawn.folder / "images/000007.jpg").read_bytes()
    found = predict(third, dict.fromkeys(named, base64.b64encode(content).decode()), api)
    (filled,) = process["ml_inference"]["output_map"]
    stored = {field: at(found, path) for field, path in filled.items()}
    assert set(stored) == {"terms", "vector"}
    assert len(stored["vector"]) == len(drawn.images.text_vector("a dog"))
    assert stored["terms"]
    assert all(weight > 0 for weight in stored["terms"].values())


def test_every_address_is_one_that_the_setting_allows() -> None:
    (settings,) = sent_to("_cluster/settings")
    allowed = settings["persistent"]["plugins.ml_commons.trusted_connector_endpoints_regex"]
    urls = [one["actions"][0]["url"] for one in connectors().values()]
    assert len(urls) == 2
    assert all(any(re.fullmatch(pattern, url) for pattern in allowed) for url in urls)


def test_the_searches_are_those_of_the_plugin() -> None:
    tokens, by_terms, by_vector = (one["query"] for one in sent_to("photos/_search"))
    assert tokens == neural_dsl.terms({"dog": 1.0, "beach": 1.0})["query"]
    assert set(by_terms["neural_sparse"]["terms"]) == {"query_text", "model_id"}
    assert set(by_vector["neural"]["vector"]) == {"query_text", "model_id", "k"}
    (model,) = sent_to("_plugins/_ml/models/_register?deploy=true")
    assert (model["function_name"], set(model)) == ("remote", {"name", "function_name", "connector_id"})
