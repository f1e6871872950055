"""`POST /encode`: what searches would make of the same texts and images, in batches, within the server's limits."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch
from support.drawn import Drawn
from support.making import jpeg
from support.serving import asking, served

from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.search.encode_query import encode_picture
from lexel.pipeline.serve.encode_batch import MOST
from lexel.pipeline.serve.middleware import Limits

TEXTS = ["a dog in the snow", "xyzzy", "Two BOATS, and a boat"]


@pytest.fixture(scope="module")
def api(drawn: Drawn, client: OpenSearch) -> Iterator[TestClient]:
    with asking(served(client)) as made:
        yield made


def pictures(drawn: Drawn, count: int) -> list[bytes]:
    return [path.read_bytes() for path in sorted((drawn.folder / "images").iterdir())[:count]]


def in_base64(contents: list[bytes]) -> list[str]:
    return [base64.b64encode(content).decode() for content in contents]


def encoded(api: TestClient, **asked: Any) -> Any:
    answer = api.post("/encode", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_texts_are_the_queries_that_searches_make_of_them(api: TestClient) -> None:
    found, encoder = encoded(api, texts=TEXTS), open_encoder()
    assert (found["index"], found["encoder"]) == ("drawn-images", encoder.name)
    assert found["terms"] == [encoder.query(text) for text in TEXTS]
    assert found["terms"][1] == {}
    wanted = load_model(encoder, device="cpu").text_vectors(TEXTS)
    assert np.array(found["vectors"]) == pytest.approx(wanted, abs=1e-5)
    asked = api.get("/search", params={"q": TEXTS[0], "k": 1}).json()["asked"]
    assert asked == found["terms"][0]


def test_images_are_the_items_that_are_stored_of_them(api: TestClient, drawn: Drawn) -> None:
    contents = pictures(drawn, 20)  # more than the networks take at once
    found, model = encoded(api, images=in_base64(contents), role="item"), load_model(open_encoder(), device="cpu")
    hits = api.get("/search", params={"k": 200}).json()["hits"]
    ids = {hit["uri"]: hit["id"] for hit in hits}
    for number, (terms, vector) in enumerate(zip(found["terms"], found["vectors"], strict=True)):
        assert terms == pytest.approx(encode_picture(model, contents[number]).terms[0], abs=0.01)
        # That job may have computed in bfloat16.
        stored = drawn.images.item(ids[f"images/{number:06d}.jpg"], fields=("vector",))
        assert np.dot(vector, stored["vector"]) == pytest.approx(1, abs=1e-3)


def test_images_ask_as_in_a_search(api: TestClient, drawn: Drawn) -> None:
    (content,) = pictures(drawn, 1)
    found, encoder = encoded(api, images=in_base64([content])), open_encoder()
    model = encode_picture(load_model(encoder, device="cpu"), content)
    assert found["terms"] == [pytest.approx(encoder.picture_query(model.terms[0]))]


def test_texts_as_items_weigh_what_captions_weigh(api: TestClient) -> None:
    model = load_model(open_encoder(), device="cpu")
    assert encoded(api, texts=TEXTS, role="item")["terms"] == model.items_of(TEXTS)
    assert encoded(api, texts=TEXTS, role="item", vectors=False)["vectors"] is None


def test_numbers_are_as_short_as_they_can_be(api: TestClient) -> None:
    text = api.post("/encode", json={"texts": ["a dog"]}).text
    vector = encoded(api, texts=["a dog"])["vectors"][0]
    assert len(text) < 14 * len(vector)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({}, 422, "give either texts or images"),
        ({"texts": ["a"], "images": ["QUJD"]}, 422, "give either texts or images"),
        ({"texts": []}, 422, "texts"),
        ({"texts": ["a"] * (MOST + 1)}, 422, "at most 64"),
        ({"images": ["QUJD"] * (MOST + 1)}, 422, "at most 64"),
        ({"texts": ["a" * 2001]}, 422, "texts.0"),
        ({"texts": "a dog"}, 422, "texts"),
        ({"images": ["not base64"]}, 422, "images.0"),
        ({"images": ["!!!"]}, 422, "not base64"),
        ({"texts": ["a"], "role": "both"}, 422, "role"),
        ({"texts": ["a"], "q": "a"}, 422, "q"),
        ({"texts": ["a"], "index": "other"}, 404, "other"),
        ({"images": in_base64([jpeg(), b"no image"])}, 400, "(images.1)"),
    ],
)
def test_failures_are_one_sentence_that_names_the_place(
    api: TestClient, asked: dict[str, Any], status: int, says: str
) -> None:
    answer = api.post("/encode", json=asked)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert says in answer.json()["error"]
    assert answer.json()["error"].endswith(".")


def test_what_is_no_json_is_refused(api: TestClient) -> None:
    assert api.post("/encode", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert api.post("/encode", data={"texts": "a"}).status_code == 415
    assert api.get("/encode").status_code == 405


def test_a_network_without_a_number_is_said(api: TestClient, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lexel.encoders.model import Encoded, Model

    def broken(_: Model, pixels: Any) -> Encoded:
        vectors = np.ones((len(pixels), 4), np.float32)
        vectors[1] = np.nan
        return Encoded(vectors, None, [{} for _ in pixels])

    monkeypatch.setattr(Model, "images", broken)
    answer = api.post("/encode", json={"images": in_base64(pictures(drawn, 2))})
    assert answer.status_code == 400
    assert answer.json()["error"] == "The image cannot be used: the network gave no number for it (images.1)."


def test_each_text_counts_as_a_search(drawn: Drawn, client: OpenSearch) -> None:
    limits = Limits(rate=0.5, burst=10)
    with asking(served(client, "drawn-images", limits=limits)) as api:
        assert api.post("/encode", json={"texts": ["a"] * MOST, "vectors": False}).status_code == 200
        answer = api.get("/search", params={"q": "dog", "mode": "words"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > (MOST - 10 - 5) / 0.5
    with asking(served(client, "drawn-images", limits=limits)) as api:
        for _ in range(5):
            assert api.post("/encode", json={"texts": ["a"], "vectors": False}).status_code == 200


def test_the_size_and_the_token_hold_here_too(drawn: Drawn, client: OpenSearch) -> None:
    small = Limits(rate=1000, burst=1000, body=1 << 10)
    with asking(served(client, "drawn-images", limits=small, token="t0ken")) as api:
        asked: dict[str, Any] = {"json": {"texts": ["a"], "vectors": False}}
        assert api.post("/encode", **asked).status_code == 401
        known = {"Authorization": "Bearer t0ken"}
        assert api.post("/encode", **asked, headers=known).status_code == 200
        assert api.post("/encode", json={"texts": ["a" * 2000]}, headers=known).status_code == 413
        whole = iter([b'{"texts": ["' + b"a" * 2000 + b'"]}'])  # of a length that is not told
        assert api.post("/encode", content=whole, headers=known).status_code == 413


def test_the_terms_of_texts_need_no_torch(drawn: Drawn, at_node: str) -> None:
    code = """
import sys
from fastapi.testclient import TestClient
from lexel.pipeline.cluster.client import connect
from lexel.pipeline.serve.app import app
from lexel.pipeline.serve.index_registry import IndexRegistry
with TestClient(app(IndexRegistry(connect(), ["drawn-images"], prepare=False))) as api:
    print(api.post("/encode", json={"texts": ["dog"], "vectors": False}).json()["terms"], "torch" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[{'dog': 1.0}] False"
