"""From pictures to hits with the shipped encoder, on a real node, in every direction."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.checkout import SHARED
from support.drawn import COUNT, Drawn

from lexel.encoders import open_encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.scenes import scene
from lexel.pipeline.search.filters import parse_filter
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index
from lexel.pipeline.sources.source import open_source


@pytest.mark.parametrize("mode", MODES)
def test_a_caption_finds_its_picture_far_better_than_chance(drawn: Drawn, mode: str) -> None:
    found = 0
    for seed in range(0, COUNT, 4):
        result = search_index(drawn.images, SearchRequest(scene(seed).captions[-1], mode=mode, k=10))  # type: ignore[arg-type]
        found += f"images/{seed:06d}.jpg" in [hit.uri for hit in result.hits]
    # By chance a picture is among ten of two hundred in one query of twenty.
    assert found >= 25


@pytest.mark.parametrize("mode", ["terms", "vector", "hybrid"])
def test_a_picture_finds_captions_that_are_true_of_it(drawn: Drawn, mode: str) -> None:
    subjects = 0
    for seed in range(0, COUNT, 8):
        content = (drawn.folder / f"images/{seed:06d}.jpg").read_bytes()
        result = search_index(drawn.captions, SearchRequest(images=(content,), mode=mode, k=5))  # type: ignore[arg-type]
        assert all(hit.text for hit in result.hits)
        subjects += any(hit.source["meta"]["subject"] == scene(seed).facts["subject"] for hit in result.hits)
    assert subjects >= 15


def test_a_picture_finds_itself_first(drawn: Drawn) -> None:
    for seed in (0, 7, 21):
        content = (drawn.folder / f"images/{seed:06d}.jpg").read_bytes()
        for mode in ("vector", "hybrid"):
            assert (
                search_index(drawn.images, SearchRequest(images=(content,), mode=mode, k=3)).hits[0].uri
                == f"images/{seed:06d}.jpg"
            )  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_the_parts_add_up_to_the_score(drawn: Drawn, mode: str) -> None:
    result = search_index(drawn.images, SearchRequest("a dog and a house in the snow", mode=mode))  # type: ignore[arg-type]
    assert result.hits
    for hit in result.hits:
        assert sum(hit.parts.values()) + hit.vector_part == pytest.approx(hit.score, rel=1e-5)
        assert hit.path == drawn.folder / hit.uri
        assert hit.path.is_file()
        if mode != "vector":
            assert all(hit.source["terms"][term] > 0 for term in hit.parts)


def test_filters_by_facts(drawn: Drawn) -> None:
    for mode in MODES:
        result = search_index(drawn.images, SearchRequest("a dog", mode=mode, filters=[parse_filter("time=night")]))
        assert result.hits
        assert {hit.source["meta"]["time"] for hit in result.hits} == {"night"}


def test_words_need_no_encoder_and_other_modes_say_so(drawn: Drawn, client: OpenSearch) -> None:
    index = SearchIndex(client, "drawn-images")
    assert index.place  # has looked at the index, and looks again in a while
    index.__dict__["about"] = {**drawn.images.about, "encoder": "/nowhere/at-all", "name": "gone"}
    assert search_index(index, SearchRequest("a dog", mode="words")).hits
    with pytest.raises(ClusterError, match="--mode words"):
        search_index(index, SearchRequest("a dog", mode="terms"))


@pytest.mark.parametrize(("field", "mode"), [("fingerprint", "vector"), ("vocabulary", "terms")])
def test_another_encoder_than_the_index_was_made_with_is_refused(
    drawn: Drawn, client: OpenSearch, field: str, mode: str
) -> None:
    index = SearchIndex(client, "drawn-images")
    assert index.place  # has looked at the index, and looks again in a while
    index.__dict__["about"] = {**drawn.images.about, field: "f" * 16}
    with pytest.raises(ClusterError, match="do not match"):
        search_index(index, SearchRequest("a dog", mode=mode))  # type: ignore[arg-type]


def test_refusals_in_one_sentence(drawn: Drawn, client: OpenSearch) -> None:
    with pytest.raises(ClusterError, match="lexel index SOURCE"):
        search_index(SearchIndex(client, "no-such-index"), SearchRequest("a dog"))
    client.indices.create(index="foreign")
    with pytest.raises(ClusterError, match="not made by lexel"):
        search_index(SearchIndex(client, "foreign"), SearchRequest("a dog", mode="terms"))
    client.indices.delete(index="foreign")
    with pytest.raises(BadImageError):
        search_index(drawn.images, SearchRequest(images=(b"not a picture",)))
    with pytest.raises(ConfigError, match="takes text"):
        search_index(drawn.images, SearchRequest(images=(b"",), mode="words"))


@pytest.mark.parametrize("mode", ["terms", "words"])
def test_sparse_text_search_loads_no_torch(drawn: Drawn, at_node: str, mode: str) -> None:
    code = (
        "import sys; from lexel.pipeline.cli.main import app\n"
        f"app(['search', 'a dog', '--index', 'drawn-images', '--mode', '{mode}', '--json'], standalone_mode=False)\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(answer.stdout)["hits"]
    assert answer.stderr.strip() == "[]"


def test_a_thousand_photographs_both_ways(client: OpenSearch, shared: Path, tmp_path: Path) -> None:
    """Flickr8k's 1,000 val photographs with the shipped encoder: ranks far above chance, through the cluster."""
    rows = [json.loads(line) for line in (shared / "data/flickr8k/captions.jsonl").read_text().splitlines()]
    val = [row for row in rows if row["split"] == "val"]
    manifest = tmp_path / "val.jsonl"
    lines = [json.dumps({**row, "image": str(shared / "data/flickr8k" / row["image"])}) for row in val]
    manifest.write_text("\n".join(lines))
    made: list[str] = []
    for name, captions in (("photos-images", False), ("photos-captions", True)):
        encode_source(
            open_source(manifest, captions=captions),
            tmp_path / name,
            encoder=open_encoder(),
            options=EncodeOptions(batch_size=64),
        )
        made.append(load_shards(tmp_path / name, index=name, client=client).index)
    try:
        images, texts = SearchIndex(client, "photos-images"), SearchIndex(client, "photos-captions")
        assert sum(found_image(images, row) for row in val[::10]) >= 10
        assert sum(found_caption(texts, row) for row in val[::10]) >= 10
    finally:
        for index in made:
            client.indices.delete(index=index)


def found_image(index: SearchIndex, row: dict[str, object]) -> bool:
    captions: list[str] = row["captions"]  # type: ignore[assignment]
    return any(
        hit.uri.endswith(str(row["image"])) for hit in search_index(index, SearchRequest(captions[0], k=10)).hits
    )


def found_caption(index: SearchIndex, row: dict[str, object]) -> bool:
    picture = (SHARED / "data/flickr8k" / str(row["image"])).read_bytes()
    return any(
        hit.uri.endswith(str(row["image"])) for hit in search_index(index, SearchRequest(images=(picture,), k=10)).hits
    )
