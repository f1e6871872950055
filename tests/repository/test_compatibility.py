"""What earlier versions wrote is still read: shards, an index, and the name of the shipped encoder.

version_0_1/shards holds six drawn scenes (one of them broken) as lexel encoded them before its modules moved, and
version_0_1/index.json.gz the index that it then made of these.
"""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.checkout import ROOT, TESTS

from lexel.encoders import open_encoder
from lexel.encoders.registry import BUILT_IN
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.reterm import reterm_shards
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.explain.score_parts import explain_item
from lexel.pipeline.images.preview import PreviewOptions
from lexel.pipeline.load.live.update import NewIndexNeededError, update_index
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.scenes import write
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.sources.source import open_source

OLD = TESTS / "repository" / "version_0_1"
ALIAS = "old"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """The old shards. Their vocabulary is that of the encoder that made them, and ships with lexel."""
    folder = tmp_path / "shards"
    shutil.copytree(OLD / "shards", folder)
    shutil.copy(BUILT_IN["lexel-tiny"] / "vocabulary.json", folder)
    return folder


@pytest.fixture
def old_index(client: OpenSearch) -> Iterator[dict[str, Any]]:
    """The old index as it was, behind its alias."""
    about: dict[str, Any] = json.loads(gzip.decompress((OLD / "index.json.gz").read_bytes()))
    body = {"settings": about["settings"], "mappings": about["mappings"], "aliases": about["aliases"]}
    client.indices.create(index=about["name"], body=body)
    for document in about["documents"]:
        client.index(index=about["name"], id=document["id"], body=document)
    client.indices.refresh(index=about["name"])
    yield about
    client.indices.delete(index=f"{ALIAS}-*", ignore_unavailable=True)


def test_the_shipped_encoder_is_the_one_that_made_the_old_shards() -> None:
    job = json.loads((OLD / "shards" / "job.json").read_text())
    encoder = open_encoder("lexel-tiny")
    assert (encoder.fingerprint, encoder.features_id) == ("2130a0382c6c5c1a", "c79c582448314c4b")
    assert (job["fingerprint"], job["features_id"]) == (encoder.fingerprint, encoder.features_id)


def test_old_shards_open_whole(shards: Path) -> None:
    opened = ShardFolder.open(shards)
    assert (opened.rows, len(opened.shards), opened.job.thumbnail) == (5, 2, 48)
    assert [failure.uri for shard in opened.shards for failure in shard.failures()] == ["images/000042.jpg"]
    row = opened.shards[0].table().to_pylist()[0]
    assert row["uri"] == "images/000040.jpg"
    assert row["captions"]
    assert row["thumbnail"][:2] == b"\xff\xd8"
    assert len(row["waves"]) == 64


def test_old_shards_get_the_terms_that_they_have(shards: Path, tmp_path: Path) -> None:
    """The stored features give the stored terms again, so that both are read as they were meant."""
    reterm_shards(shards, tmp_path / "again", encoder=open_encoder("lexel-tiny"), device="cpu")
    old, again = (
        [row for shard in ShardFolder.open(folder).shards for row in shard.table().to_pylist()]
        for folder in (shards, tmp_path / "again")
    )
    assert [dict(row["terms"]) for row in again] == [dict(row["terms"]) for row in old]


def test_old_shards_are_gone_on_with_and_their_pictures_not_decoded(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(write(tmp_path / "pictures", count=6, seed=40))
    (tmp_path / "pictures" / "images" / "000042.jpg").write_bytes(b"bad")
    old = [row for shard in ShardFolder.open(shards).shards for row in shard.table().to_pylist()]
    drawn = {item.uri: item.identify(item.content()) for item in source.items()}
    if any(drawn[row["uri"]] != row["id"] for row in old):
        pytest.skip("the JPEG library of this machine writes other bytes than the one that drew the old pictures")

    def decode(content: bytes, **_: Any) -> None:
        raise AssertionError(f"{len(content)} bytes are decoded")

    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", decode)
    options = EncodeOptions(device="cpu", preview=PreviewOptions(48))
    report = encode_source(source, shards, encoder=open_encoder("lexel-tiny"), options=options)
    assert (report.items, report.encoded, report.failed, report.changes.any) == (6, 5, 1, False)
    (tmp_path / "pictures" / "images" / "000040.jpg").rename(tmp_path / "pictures" / "images" / "000043.jpg")
    report = encode_source(source, shards, encoder=open_encoder("lexel-tiny"), options=options)
    assert report.changes == ChangeCounts(moved=1, unreachable=1)
    again = [row for shard in ShardFolder.open(shards).shards for row in shard.table().to_pylist()]
    found = {row["uri"]: row["vector"] for row in again}
    wanted = {row["uri"]: row["vector"] for row in old}
    assert found == wanted | {"images/000043.jpg": wanted["images/000040.jpg"]}


def test_old_shards_take_the_place_of_the_index_that_they_are_in(
    shards: Path, client: OpenSearch, old_index: dict[str, Any]
) -> None:
    """Documents say more than they did, so that an index can be brought up to date in place: all are sent once."""
    with pytest.raises(NewIndexNeededError, match="makes a new index in its place"):
        update_index(shards, index=ALIAS, client=client)
    loaded = load_shards(shards, index=ALIAS, client=client)
    assert (loaded.documents, loaded.sent) == (5, 5)
    assert list(client.indices.get_alias(name=ALIAS)) == [loaded.index] != [old_index["name"]]
    again = update_index(shards, index=ALIAS, client=client)
    assert (again.index, again.sent, again.removed) == (loaded.index, 0, 0)


def test_the_documents_of_today_are_those_of_the_old_index(
    shards: Path, client: OpenSearch, old_index: dict[str, Any]
) -> None:
    client.indices.delete(index=old_index["name"])
    loaded = load_shards(shards, index=ALIAS, client=client)
    assert loaded.sent == 5
    for document in old_index["documents"]:
        assert client.get(index=ALIAS, id=document["id"])["_source"].items() >= document.items()


@pytest.mark.usefixtures("old_index")
@pytest.mark.parametrize("mode", MODES)
def test_an_old_index_is_searched_and_explained(client: OpenSearch, mode: Mode) -> None:
    index = SearchIndex(client, ALIAS, device="cpu")
    request = SearchRequest("a dog on the beach", mode=mode)
    hits = search_index(index, request).hits
    assert hits
    if mode == "words":
        assert (hits[0].id, hits[0].score) == ("bb66537ce6e9df7e828b00a1b0c1b203", pytest.approx(2.28125))
    assert explain_item(index, hits[0].id, request).score == pytest.approx(hits[0].score, rel=1e-5)


def test_nothing_of_a_machine_is_kept() -> None:
    text = gzip.decompress((OLD / "index.json.gz").read_bytes()).decode() + (OLD / "shards/job.json").read_text()
    assert str(ROOT) not in text
    assert "/pictures" in text
