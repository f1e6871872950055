"""Several loaders of one folder: each sends its share, the last one switches the alias, a killed one costs nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError
from support.indices import Names, contents
from support.synthetic import collection, spoil

from lexel.pipeline.cli.views.job_reports import say_loaded
from lexel.pipeline.collection import tsne_map
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import LoadReport, load_shards
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.part import Part

PARTS = [Part(index, 3) for index in (1, 2, 3)]
# Many requests, so that there is a middle to be killed in.
LOADER = "from lexel.pipeline.load import bulk;bulk.MAX_BYTES = 20000; from lexel.pipeline.cli import main; main.main()"


def _of_part(client: OpenSearch, index: str, part: Part, shards: int) -> int:
    """How many documents of this part are on their way into the new index behind `index`."""
    mine = [number for number in range(shards) if part.has_shard(number)]
    try:
        client.indices.refresh(index=f"{index}-*")
        return int(client.count(index=f"{index}-*", body={"query": {"terms": {"shard": mine}}})["count"])
    except TransportError:
        return 0


def test_one_of_three_loaders_is_killed_and_the_index_ends_whole_once(
    client: OpenSearch, at_node: str, tmp_path: Path, index_name: Names
) -> None:
    items = collection(tmp_path / "a", count=3000, shard_size=100)
    whole, index = index_name("whole"), index_name("parts")
    load_shards(items.folder, index=whole, client=client)

    def begin(part: Part) -> subprocess.Popen[str]:
        words = ["load", str(items.folder), "--index", index, "--part", f"{part.index}/{part.of}", "--connections", "1"]
        command = [sys.executable, "-c", LOADER, *words]
        return subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    first, second, victim = (begin(part) for part in PARTS)
    deadline = time.monotonic() + 60
    while victim.poll() is None and time.monotonic() < deadline and not _of_part(client, index, PARTS[2], 30):
        time.sleep(0.002)
    assert victim.poll() is None, "the third loader ended before it could be killed"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    for job in (first, second):
        said, errors = job.communicate()
        assert job.returncode == 0, errors
        assert "of 3,000 documents are in the new index" in " ".join(said.split())
    assert 0 < _of_part(client, index, PARTS[2], 30) < 1000
    assert not client.indices.exists_alias(name=index)

    said, errors = (again := begin(PARTS[2])).communicate()
    assert again.returncode == 0, errors
    assert "3,000 documents in the index" in " ".join(said.split())
    assert len(client.indices.get(index=f"{index}-*")) == 1
    before = contents(client, index)
    assert before == contents(client, whole)
    for part in PARTS:
        said, errors = (again := begin(part)).communicate()
        assert again.returncode == 0, errors
        assert "0 of them sent by this run" in " ".join(said.split())
    assert contents(client, index) == before


def load_parts(folder: Path, index: str, client: OpenSearch) -> list[LoadReport]:
    return [load_shards(folder, index=index, client=client, part=part) for part in PARTS]


def test_the_old_index_is_shown_until_the_last_part_is_in(
    client: OpenSearch, tmp_path: Path, index_name: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    index = index_name("old")
    old = collection(tmp_path / "a", count=40)
    load_shards(old.folder, index=index, client=client)
    items = collection(tmp_path / "b", count=70, shard_size=10, seed=1)
    reports = []
    for part, missing in zip(PARTS, (50, 30, 0), strict=True):
        assert set(contents(client, index)) == set(old.ids)
        report = load_shards(items.folder, index=index, client=client, part=part)
        assert (report.documents, report.missing) == (70 - missing, missing)
        reports.append(report)
    assert set(contents(client, index)) == set(items.ids)
    assert {report.index for report in reports} == set(client.indices.get_alias(name=index))
    assert [report.sent for report in reports] == [20, 20, 30]
    say_loaded(reports[0], index)
    said = " ".join(capsys.readouterr().out.split())
    assert f"20 of 70 documents are in the new index of {index}, 20 of them sent by this run." in said


def test_a_part_twice_changes_nothing(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("again")
    items = collection(tmp_path / "a", count=70, shard_size=10)
    load_parts(items.folder, index, client)
    before = contents(client, index)
    for report in load_parts(items.folder, index, client):
        assert (report.documents, report.sent, report.missing) == (70, 0, 0)
    assert contents(client, index) == before
    (about,) = client.indices.get_alias(index=f"{index}-*").values()
    assert about["aliases"].keys() == {index}


def test_parts_that_are_more_than_the_shards_have_nothing_to_send(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    items, index = collection(tmp_path / "a", count=20, shard_size=10), index_name("few")
    assert [report.sent for report in load_parts(items.folder, index, client)] == [10, 0, 10]
    assert set(contents(client, index)) == set(items.ids)


def test_what_each_part_leaves_out_is_counted_by_the_last(
    client: OpenSearch, tmp_path: Path, index_name: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    items, index = collection(tmp_path / "a", count=300, shard_size=10), index_name("left-out")
    files = [items.folder / f"rejected-{index}-{number}-of-3.jsonl" for number in (1, 2, 3)]
    spoil(items.folder, 1, shard=0)
    spoil(items.folder, 1, shard=1)
    stale = {"id": "x", "reason": "old", "document": "{}", "of_content": True, "target": f"{index}-00000000"}
    files[1].write_text(json.dumps(stale) + "\n")
    reports = load_parts(items.folder, index, client)
    assert [report.missing for report in reports] == [200, 100, 0]
    assert (reports[2].documents, reports[2].rejected, reports[2].rejects) == (298, 2, (files[0], files[2]))
    assert not files[1].exists()
    say_loaded(reports[2], index)
    assert f"2 more were rejected by OpenSearch: {files[0]} and {files[2]} say why." in capsys.readouterr().out
    assert set(contents(client, index)) == set(items.ids) - {items.ids[0], items.ids[10]}


def test_more_rejected_by_all_parts_than_may_be_left_out_is_said_by_the_last(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    items, index = collection(tmp_path / "a", count=90, shard_size=10), index_name("too-many")
    spoil(items.folder, 1, shard=0)
    spoil(items.folder, 1, shard=1)
    for part in PARTS[:2]:
        assert load_shards(items.folder, index=index, client=client, part=part).missing
    with pytest.raises(ClusterError, match="rejected 2 of 90"):
        load_shards(items.folder, index=index, client=client, part=PARTS[2])
    assert not client.indices.exists_alias(name=index)


@pytest.mark.parametrize("stale", [False, True])
def test_parts_that_make_the_map_at_once_take_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stale: bool
) -> None:
    items = collection(tmp_path / "a", count=30)
    shards, lay_out = finished_shards(items.folder), tsne_map.tsne_layout
    if stale:
        (items.folder / "map.parquet").write_bytes(b"of other shards")

    def overtaken(vectors: tsne_map.Floats) -> tsne_map.Floats:
        monkeypatch.setattr(tsne_map, "tsne_layout", lambda v: np.flip(lay_out(v), axis=1))
        first.append(tsne_map.load_or_make_map(items.folder, shards))
        return lay_out(vectors)

    first: list[tsne_map.TsneMap] = []
    monkeypatch.setattr(tsne_map, "tsne_layout", overtaken)
    mine = tsne_map.load_or_make_map(items.folder, shards)
    assert np.array_equal(mine.places, first[0].places)
    assert np.array_equal(tsne_map.load_or_make_map(items.folder, shards).places, first[0].places)
