"""`sync`: an index follows its source in place, or says why it cannot."""

import json
import shutil
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.encoding.living_folder import LivingFolder
from support.encoding.living_index import LivingIndex
from support.indices import Names, contents
from support.making import random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.ingest.run import index_source
from lexel.pipeline.ingest.sync import plan_sync, sync_source
from lexel.pipeline.load.live.update import NewIndexNeededError, live_index, update_index
from lexel.pipeline.shards.compact import compact_shards, is_compact
from lexel.pipeline.shards.folder import ShardFolder, stored_shards
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def index(client: OpenSearch, tmp_path: Path, encoder: Encoder, index_name: Names) -> LivingIndex:
    """Ten pictures in two folders, and their index."""
    living = LivingFolder(tmp_path / "pictures")
    for i in range(10):
        living.add(f"{'holiday' if i < 5 else 'work'}/{i}.jpg", i)
    made = LivingIndex(living, tmp_path, index_name("sync"), encoder, client)
    made.sync()
    return made


def test_what_changes_is_what_is_sent(index: LivingIndex) -> None:
    behind = live_index(index.client, index.name)
    index.living.add("work/new.jpg", 50)
    index.living.add("work/5.jpg", 51)
    (index.living.root / "holiday/0.jpg").rename(index.living.root / "work/moved.jpg")
    (index.living.root / "holiday/1.jpg").unlink()
    report = index.sync()
    found = report.encoded.changes
    assert (found.new, found.changed, found.moved, found.gone) == (1, 1, 1, 1)
    assert (report.loaded.sent, report.loaded.removed, report.loaded.documents) == (3, 3, 10)
    now = live_index(index.client, index.name)
    assert behind is not None
    assert now is not None
    assert (now.name, now.about["generation"]) == (behind.name, behind.about["generation"] + 1)
    index.check()


def test_a_renamed_folder_is_known_again(index: LivingIndex) -> None:
    index.living.rename_folder("travels")
    report = index.sync()
    assert (report.encoded.changes.moved, report.encoded.changes.new) == (5, 0)
    assert {one["uri"].split("/")[0] for one in contents(index.client, index.name).values()} == {"travels", "work"}


def test_a_new_metadata_column_is_added(index: LivingIndex) -> None:
    index.living.describe(0, "stars", 4)
    report = index.sync()
    assert (report.encoded.changes.relisted, report.loaded.sent) == (1, 1)
    stars = {"query": {"range": {"meta.stars": {"gte": 3}}}}
    assert index.client.count(index=index.name, body=stars)["count"] == 1


def test_a_column_of_another_type_needs_a_new_index(index: LivingIndex) -> None:
    index.living.describe(0, "stars", 4)
    index.sync()
    before = contents(index.client, index.name)
    beside = index.living.pictures[1].with_suffix(".json")
    beside.write_text(json.dumps({"stars": "many"}))
    with pytest.raises(
        NewIndexNeededError, match=r"'stars' as long, and its values are keyword now; `lexel load .* --index"
    ):
        index.sync()
    assert contents(index.client, index.name) == before
    source = open_source(index.living.root)
    report = index_source(
        source,
        index=index.name,
        encoder=index.encoder,
        client=index.client,
        out=index.place / "shards",
        encode=EncodeOptions(device="cpu", exact=True),
    )
    assert report.loaded.documents == 10
    assert {"stars": "many"} in [one["meta"] for one in contents(index.client, index.name).values()]


def test_another_encoder_or_source_is_refused_before_anything_is_encoded(index: LivingIndex, tmp_path: Path) -> None:
    other = random_encoder(tmp_path / "other", seed=1)
    source = open_source(index.living.root)
    with pytest.raises(NewIndexNeededError, match=r"made with the encoder random-0 .*, not random-1 .*`lexel index"):
        sync_source(source, index=index.name, encoder=other, client=index.client, out=tmp_path / "other-shards")
    shutil.copytree(index.living.root, tmp_path / "elsewhere")
    elsewhere = open_source(tmp_path / "elsewhere")
    with pytest.raises(NewIndexNeededError, match=r"shows documents of .*pictures; `lexel index .*elsewhere"):
        sync_source(
            elsewhere, index=index.name, encoder=index.encoder, client=index.client, out=tmp_path / "other-shards"
        )
    assert not (tmp_path / "other-shards").exists()


def test_a_share_that_is_away_removes_nothing(index: LivingIndex) -> None:
    before = contents(index.client, index.name)
    away = index.living.root / "holiday"
    away.rename(index.place / "away")
    with pytest.raises(ClusterError, match=r"5 of the 10 documents of .* would be gone"):
        index.sync(allow_shrink=False)
    assert contents(index.client, index.name) == before
    (index.place / "away").rename(away)
    back = index.sync(allow_shrink=False)
    assert (back.loaded.sent, back.loaded.removed) == (0, 0)
    assert contents(index.client, index.name) == before


def test_what_somebody_else_changed_is_mended(index: LivingIndex) -> None:
    wanted = contents(index.client, index.name)
    ids = sorted(wanted)
    index.client.delete(index=index.name, id=ids[0], refresh=True)
    index.client.index(index=index.name, id="stranger", body={"id": "stranger", "bucket": 5}, refresh=True)
    index.client.index(index=index.name, id="another", body={"id": "another"}, refresh=True)
    index.client.update(index=index.name, id=ids[1], body={"doc": {"checksum": 1}}, refresh=True)
    report = index.sync()
    assert (report.loaded.sent, report.loaded.removed) == (2, 2)
    assert contents(index.client, index.name) == wanted


def test_compacting_changes_no_item_and_no_document(index: LivingIndex) -> None:
    for i in range(4):
        index.living.add(f"work/more-{i}.jpg", 60 + i)
        index.living.add("work/5.jpg", 70 + i)
        index.sync()
    shards = index.place / "shards"
    before, rows = contents(index.client, index.name), _rows(shards)
    report = compact_shards(shards)
    assert _rows(shards) == rows
    assert len(stored_shards(shards)) == report.now == 4
    assert is_compact(shards)
    again = index.sync()
    assert (again.encoded.new, again.loaded.sent, again.loaded.removed) == (0, 0, 0)
    assert contents(index.client, index.name) == before


def _rows(shards: Path) -> dict[str, str]:
    return {row["id"]: row["uri"] for shard in ShardFolder.open(shards).shards for row in shard.table().to_pylist()}


def test_a_plan_says_what_a_sync_would_do(index: LivingIndex) -> None:
    index.living.add("work/new.jpg", 50)
    (index.living.root / "holiday/0.jpg").rename(index.living.root / "work/moved.jpg")
    (index.living.root / "work/9.jpg").unlink()
    shards = index.place / "shards"
    before = {path.name: path.stat().st_mtime_ns for path in shards.iterdir()}
    source = open_source(index.living.root)
    found = plan_sync(source, index=index.name, encoder=index.encoder, client=index.client, out=shards)
    assert (found.counts.new, found.counts.moved, found.counts.gone, found.lost) == (1, 1, 1, ["work/9.jpg"])
    assert {path.name: path.stat().st_mtime_ns for path in shards.iterdir()} == before


def test_shards_alone_bring_an_index_up_to_date(index: LivingIndex) -> None:
    """As after an encode in parts, by other machines."""
    index.living.add("work/new.jpg", 50)
    index_source(
        open_source(index.living.root),
        index=f"{index.name}-other",
        encoder=index.encoder,
        client=index.client,
        out=index.place / "shards",
        encode=EncodeOptions(device="cpu", exact=True),
    )
    report = update_index(index.place / "shards", index=index.name, client=index.client)
    assert (report.sent, report.removed, report.documents) == (1, 0, 11)
