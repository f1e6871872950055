"""What camera and people wrote, from pictures' files to conditions, facets and the map, on a real node."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from opensearchpy import OpenSearch
from support.making import random_encoder
from support.pictures.embedded import BERLIN_PLACE, album

from lexel.encoders.encoder import Encoder
from lexel.mappings.dashboard_pack import dashboards_pack
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.load.documents.metadata_fields import metadata_fields
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.filters import field_name, parse_filter
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.serve import index_registry
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return album(tmp_path_factory.mktemp("photos"))


def encode(source: Path, out: Path, encoder: Encoder) -> None:
    options = EncodeOptions(device="cpu", shard_size=3, batch_size=2)
    encode_source(open_source(source), out, encoder=encoder, options=options)


@pytest.fixture(scope="module")
def index(
    client: OpenSearch, photos: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchIndex]:
    shards = tmp_path_factory.mktemp("shards")
    encode(photos, shards, encoder)
    load_shards(shards, index="facts", client=client)
    yield SearchIndex(client, "facts")
    client.indices.delete(index="facts-*")


def uris(index: SearchIndex, *conditions: str) -> list[str]:
    return sorted(hit.uri[0] for hit in browse(index, filters=[parse_filter(text) for text in conditions]).hits)


def test_the_fields_have_fixed_types(index: SearchIndex) -> None:
    kinds = {name.removeprefix("meta."): kind for name, kind in index.fields.types.items() if name.startswith("meta.")}
    assert kinds == {
        **{"taken": "date", "place": "geo_point", "camera": "keyword", "lens": "keyword", "keywords": "keyword"},
        **{"title": "keyword", "title.words": "text", "description": "keyword", "description.words": "text"},
        **{"rating": "long", "orientation": "long"},
    }


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        (["taken>=2020-01-01"], "12"),
        (["taken=2021"], "12"),
        (["taken!=2021"], "03"),
        (["taken=2019|2021-05"], "02"),
        (["taken=2019..2020"], "0"),
        (["taken=2019..2021"], "012"),
        (["taken<=2021"], "012"),
        (["taken>2019"], "12"),
        (["taken>2021"], ""),
        (["taken<2021"], "0"),
        (["taken=2021-12"], "1"),
        (["taken=2021-12-31"], "1"),
        (["taken=2021-12-31T23:30:00"], "1"),
        (["taken>now-1d"], ""),
        (["camera=Canon EOS 5D"], "012"),
        (["keywords=Grandma"], "01"),
        (["keywords=Berlin|Paris"], "0"),
        (["keywords=Grandma", "keywords!=Berlin"], "1"),
        (["rating>=4"], "01"),
        (["title=The lake"], "0"),
        (["place~52.5,13.4,10km"], "01"),
        (["place ~ -33.87, 151.2, 3 mi"], "2"),
        (["place~0,0,500m"], ""),
    ],
)
def test_conditions_find_them(index: SearchIndex, conditions: list[str], wanted: str) -> None:
    assert uris(index, *conditions) == list(wanted)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("taken>=yesterday", r"taken holds dates, and 'yesterday' is none: write 2021, 2021-05 or 2021-05-31\."),
        ("taken=2021-02-30", r"taken holds dates, and '2021-02-30' is none"),
        ("taken=2019|soon", r"taken holds dates, and 'soon' is none"),
        ("place=Berlin", r"place holds places on the earth: write place~LATITUDE,LONGITUDE,DISTANCE, such as"),
        ("place>3", r"place holds places on the earth"),
        ("camera~52.5,13.4,10km", r"camera holds no places on the earth, so nothing in it is near: write camera=VALUE"),
        ("nowhere~52.5,13.4,10km", r"There is no field nowhere"),
    ],
)
def test_conditions_without_sense_are_one_sentence(index: SearchIndex, condition: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        uris(index, condition)


@pytest.mark.parametrize("condition", ["place~52.5", "place~52.5,13.4", "place~52.5,13.4,far", "~1,2,3km"])
def test_a_distance_is_written_in_one_way(condition: str) -> None:
    with pytest.raises(ConfigError, match=r"write field~LATITUDE,LONGITUDE,DISTANCE, for example place~52"):
        parse_filter(condition)


@pytest.mark.parametrize("condition", ["place~91,0,1km", "place~13.4,190,1km"])
def test_a_place_beyond_the_earth_is_refused(condition: str) -> None:
    with pytest.raises(ConfigError, match=r"There is no place .*: write the latitude"):
        parse_filter(condition)


def test_facets_count_keywords_cameras_and_years(index: SearchIndex) -> None:
    found = browse(index, facets={field_name(name): 5 for name in ("keywords", "camera", "taken")}).facets
    assert found == {
        "meta.keywords": {"Grandma": 2, "Berlin": 1},
        "meta.camera": {"Canon EOS 5D": 3},
        "meta.taken": {"2021": 2, "2019": 1},
    }


def test_dashboards_map_them_by_place_and_date(client: OpenSearch, index: SearchIndex) -> None:
    found = index_facts(client, index.name, images="http://127.0.0.1:8600")
    assert (found.date, found.place) == ("meta.taken", "meta.place")
    (chart,) = (saved for saved in dashboards_pack(found) if saved["id"].endswith("-places"))
    count, grid = json.loads(chart["attributes"]["visState"])["aggs"]
    assert (count["type"], grid["type"]) == ("count", "geohash_grid")
    # The grid itself is in a module that the tests' small node has not.
    asked = {"value_count": {"field": grid["params"]["field"]}}
    answer = client.search(index=index.name, body={"size": 0, "aggs": {"2": asked}})
    assert answer["aggregations"]["2"]["value"] == 3


def test_the_page_offers_them_as_facets(index: SearchIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_registry, "_MOST_VALUES", 1)  # as if a collection had many of each
    assert index_registry.ServedIndex(index, index.place, "", 0.0).facets == ("meta.keywords", "meta.taken")
    monkeypatch.setattr(index_registry, "_MOST_VALUES", 2)
    assert "meta.title" in index_registry.ServedIndex(index, index.place, "", 0.0).facets


def test_titles_are_found_by_their_words(index: SearchIndex) -> None:
    body = {"query": {"match": {"meta.title.words": "LAKE"}}}
    assert [hit["_source"]["uri"] for hit in index.client.search(index="facts", body=body)["hits"]["hits"]] == ["0.jpg"]


def _types(*facts: Mapping[str, Any]) -> dict[str, Any]:
    rows = [orjson.dumps(one).decode() for one in facts]
    return dict(metadata_fields([pa.record_batch({"metadata": rows})]).properties)


def test_a_place_of_words_is_text_and_another_name_is_no_place() -> None:
    assert _types({"place": BERLIN_PLACE}, {"place": "-33.8, 151.2"}, {"place": "NA"}) == {
        "place": {"type": "geo_point"}
    }
    for other in ("Berlin", "95.0,1.0", "1.0,181.0", "3,5", 3):
        assert _types({"place": BERLIN_PLACE}, {"place": other}) == {"place": {"type": "keyword"}}
    assert _types({"spot": BERLIN_PLACE}) == {"spot": {"type": "keyword"}}


def test_lists_of_texts_are_keywords_and_other_lists_are_kept() -> None:
    words = {"type": "keyword", "copy_to": "written"}
    assert _types({"keywords": ["2019", "a"]}, {"keywords": []}, {"keywords": "b"}) == {"keywords": words}
    assert _types({"keywords": ["a", 1]}) == {"keywords": {"type": "object", "enabled": False}}


def test_what_people_wrote_is_searched_whatever_its_type() -> None:
    assert _types({"title": "1984"}) == {"title": {"type": "long", "copy_to": "written"}}
    title = {"type": "keyword", "copy_to": "written", "fields": {"words": {"type": "text"}}}
    assert _types({"title": "Lake"}, {"title": "1984"}) == {"title": title}


def test_an_own_place_of_words_beside_places_of_cameras_is_loaded_whole(
    client: OpenSearch, photos: Path, tmp_path: Path, encoder: Encoder, index_name: Any
) -> None:
    lines = [{"image": "0.jpg", "place": "Berlin"}, {"image": "1.jpg"}]
    (photos / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    encode(photos / "p.jsonl", tmp_path / "out", encoder)
    name = index_name("places")
    assert load_shards(tmp_path / "out", index=name, client=client).documents == 2
    assert uris(SearchIndex(client, name), "place=Berlin") == ["0"]
