"""The map of Dashboards: its requests find every image, and it asks a server for nothing that it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.synthetic import collection

from lexel.mappings.dashboard_pack import Facts, dashboards_pack
from lexel.pipeline.load.run import load_shards

IMAGES = "http://127.0.0.1:8600"
COUNT = 60


def spec(index: str = "photos", *, external_urls: bool) -> Any:
    pack = dashboards_pack(Facts(index, IMAGES, ("dog", "snow"), external_urls=external_urls))
    (plan,) = (saved for saved in pack if saved["id"].endswith("-map"))
    return json.loads(json.loads(plan["attributes"]["visState"])["params"]["spec"])


@pytest.fixture(scope="module")
def index(client: OpenSearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    load_shards(
        collection(tmp_path_factory.mktemp("map") / "a", count=COUNT, hashes={3: 1}).folder,
        index="map-of-tests",
        client=client,
    )
    yield "map-of-tests"
    client.indices.delete(index="map-of-tests-*")


@pytest.mark.parametrize("external_urls", [True, False])
def test_the_map_has_every_picture(client: OpenSearch, index: str, external_urls: bool) -> None:
    made = spec(index, external_urls=external_urls)
    requests = {data["name"]: data["url"] for data in made["data"] if "url" in data}
    assert requests["found"]["%context%"] is True
    assert "query" not in requests["found"]["body"]  # Dashboards puts the bar's there
    for request in requests.values():
        hits = client.search(index=request["index"], body=request["body"])["hits"]["hits"]
        assert len(hits) == COUNT
        assert all(0 <= hit["_source"]["map"][axis] <= 1 for hit in hits for axis in "xy")
        assert not any("thumbnail" in hit["_source"] for hit in hits)
    assert {mark["from"]["data"] for mark in made["marks"]} <= {data["name"] for data in made["data"]}
    assert f"{IMAGES}/images/" in json.dumps(made)  # shown of the dot under the mouse, which needs no setting


def test_only_with_external_urls_a_mark_fetches_an_image() -> None:
    kinds, without = ([mark["type"] for mark in spec(external_urls=on)["marks"]] for on in (True, False))
    assert "image" in kinds
    assert without == [kind for kind in kinds if kind != "image"]
    assert not any("url" in mark["encode"]["update"] for mark in spec(external_urls=False)["marks"])
    named = [data["name"] for data in spec(external_urls=False)["data"]]
    assert named == [data["name"] for data in spec(external_urls=True)["data"] if data["name"] != "shown"]


def test_images_grow_as_one_comes_closer() -> None:
    made = spec(external_urls=True)
    (cell,) = (signal for signal in made["signals"] if signal["name"] == "cell")
    assert "span(across)" in cell["update"]
    (image,) = (mark for mark in made["marks"] if mark["type"] == "image")
    assert image["encode"]["update"]["width"] == image["encode"]["update"]["height"] == {"signal": "cell - 4"}
