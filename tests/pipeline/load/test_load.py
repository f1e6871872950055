"""Loading into a real node: what arrives, what a crash costs, what is refused."""

import json
import math
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from unittest import mock

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import AuthorizationException
from support.indices import Names, contents, count, load_command
from support.synthetic import collection, spoil

from lexel.pipeline.cli.views.job_reports import say_loaded
from lexel.pipeline.errors import ClusterError, ConfigError, ShardError
from lexel.pipeline.load import run
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards


def test_an_index_holds_exactly_what_the_shards_hold(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=250), index_name("load")
    loaded = load_shards(items.folder, index=index, client=client)
    assert (loaded.documents, loaded.sent, loaded.rejected) == (250, 250, 0)
    there = contents(client, index)
    assert set(there) == set(items.ids)
    first = there[items.ids[0]]
    assert first["terms"] == {f"word{t}": float(w) for t, w in enumerate(items.weights[0]) if w}
    assert first["vector"] == pytest.approx(items.vectors[0].tolist())
    assert first["top_terms"] == list(first["terms"])
    assert first["meta"] == {"place": "beach", "stars": 0}
    assert client.indices.get_alias(name=index).keys() == {loaded.index}


def test_a_merged_index_has_one_segment_a_shard(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=150), index_name("merged")
    loaded = load_shards(items.folder, index=index, client=client, options=LoadOptions(shard_count=2, merge=True))
    copies = client.indices.segments(index=index)["indices"][loaded.index]["shards"].values()
    assert [copy["num_search_segments"] for (copy,) in copies] == [1, 1]
    assert (
        load_shards(items.folder, index=index, client=client, options=LoadOptions(shard_count=2, merge=True)).sent == 0
    )
    assert set(contents(client, index)) == set(items.ids)


def test_a_new_index_is_merged_by_itself_unless_that_is_not_wanted(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    items = collection(tmp_path / "a", count=30)
    merged = dict[bool | None, list[float]]()
    for merge in (None, False, True):
        with mock.patch.object(run, "merge_segments") as asked:
            load_shards(
                items.folder, index=index_name(f"m-{merge}".lower()), client=client, options=LoadOptions(merge=merge)
            )
        merged[merge] = [call.kwargs.get("patience", math.inf) for call in asked.call_args_list]
    assert merged[False] == []
    assert merged[True] == [math.inf]
    assert len(merged[None]) == 1
    assert merged[None][0] < math.inf
    with mock.patch.object(run, "merge_segments") as asked, mock.patch.object(run, "_FEW_TO_MERGE", 20):
        load_shards(items.folder, index=index_name("large"), client=client)
    asked.assert_not_called()


@pytest.mark.parametrize(
    "failure", [AuthorizationException(403, "security_exception", {}), ClusterError("The disk is full.")]
)
def test_a_load_goes_on_without_the_merge_that_nobody_asked_for(
    failure: Exception, client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    items = collection(tmp_path / "a", count=20)
    with mock.patch.object(run, "merge_segments", side_effect=failure):
        assert load_shards(items.folder, index=index_name("allowed"), client=client).documents == 20
        with pytest.raises(ClusterError):
            load_shards(items.folder, index=index_name("asked"), client=client, options=LoadOptions(merge=True))


def test_the_same_load_again_sends_nothing(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=150), index_name("again")
    first = load_shards(items.folder, index=index, client=client)
    second = load_shards(items.folder, index=index, client=client)
    assert (second.index, second.sent, second.documents) == (first.index, 0, 150)


def test_documents_that_went_missing_are_sent_again(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=150), index_name("lost")
    load_shards(items.folder, index=index, client=client)
    client.delete(index=index, id=items.ids[3], refresh=True)
    again = load_shards(items.folder, index=index, client=client)
    assert (again.documents, again.sent) == (150, 100)


def test_another_collection_takes_the_alias_over_and_the_old_index_goes(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    index = index_name("swap")
    old = load_shards(collection(tmp_path / "a", count=30).folder, index=index, client=client)
    items = collection(tmp_path / "b", count=40, seed=1)
    new = load_shards(items.folder, index=index, client=client)
    assert set(contents(client, index)) == set(items.ids)
    assert not client.indices.exists(index=old.index)
    assert client.indices.exists(index=new.index)


def test_metadata_gets_the_type_that_all_its_values_have(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=30), index_name("types")
    load_shards(items.folder, index=index, client=client)
    mapping = next(iter(client.indices.get_mapping(index=index).values()))["mappings"]
    assert mapping["properties"]["meta"]["properties"] == {"place": {"type": "keyword"}, "stars": {"type": "long"}}
    assert mapping["_meta"]["lexel"]["fingerprint"] == "0" * 16
    above = client.count(index=index, body={"query": {"range": {"meta.stars": {"gte": 3}}}})
    assert above["count"] == 12


def test_kill_in_the_middle_of_a_load_loses_and_doubles_nothing(
    client: OpenSearch, at_node: str, tmp_path: Path, index_name: Names
) -> None:
    items = collection(tmp_path / "a", count=6000, shard_size=250)
    whole, broken = index_name("whole"), index_name("broken")
    load_shards(items.folder, index=whole, client=client)
    command = load_command(items.folder, broken)
    dice = random.Random(7)
    killed_midway = 0
    for _ in range(6):
        job = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        some = dice.randint(1, 5500)
        while job.poll() is None and time.monotonic() < deadline and count(client, broken) < some:
            time.sleep(0.005)
        if job.poll() is None:
            job.send_signal(signal.SIGKILL)
            killed_midway += 1
            assert not client.indices.exists_alias(name=broken)
        job.wait()
    assert killed_midway >= 1
    subprocess.run(command, check=True, capture_output=True)
    assert contents(client, broken) == contents(client, whole)


def test_rejected_documents_are_kept_and_the_old_index_stays(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    index = index_name("rejected")
    load_shards(collection(tmp_path / "a", count=20).folder, index=index, client=client)
    items = collection(tmp_path / "b", count=30, seed=2)
    spoil(items.folder, 2)
    with pytest.raises(ClusterError, match="rejected 2 of 30"):
        load_shards(items.folder, index=index, client=client)
    kept = [json.loads(line) for line in (items.folder / f"rejected-{index}.jsonl").read_text().splitlines()]
    assert [row["id"] for row in kept] == items.ids[:2]
    assert "positive" in kept[0]["reason"]
    assert json.loads(kept[0]["document"])["uri"] == "000000.jpg"
    assert len(contents(client, index)) == 20


def test_a_single_rejected_document_is_left_out_and_counted(
    client: OpenSearch, tmp_path: Path, index_name: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    index = index_name("single")
    items = collection(tmp_path / "a", count=30, seed=2)
    spoil(items.folder, 1)
    for _ in range(2):
        loaded = load_shards(items.folder, index=index, client=client)
        assert (loaded.documents, loaded.rejected) == (29, 1)
    say_loaded(loaded, index)
    assert f"1 more were rejected by OpenSearch: {items.folder / f'rejected-{index}.jsonl'}" in capsys.readouterr().out
    assert set(contents(client, index)) == set(items.ids[1:])


def test_two_loads_at_once_end_well(client: OpenSearch, at_node: str, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=1500, shard_size=100), index_name("twice")
    command = load_command(items.folder, index)
    jobs = [
        subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for job in jobs:
        _, errors = job.communicate()
        assert job.returncode == 0, errors.decode()
    assert set(contents(client, index)) == set(items.ids)


def test_what_makes_no_sense_is_refused_in_one_sentence(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items = collection(tmp_path / "a", count=10)
    with pytest.raises(ShardError, match="lexel encode"):
        load_shards(tmp_path, index="images", client=client)
    with pytest.raises(ConfigError, match="is not a valid index name"):
        load_shards(items.folder, index="Bad Name", client=client)
    with pytest.raises(ConfigError, match="no k-NN engine"):
        load_shards(items.folder, index="images", client=client, options=LoadOptions(engine="annoy"))
    with pytest.raises(ClusterError, match="has no faiss"):
        load_shards(items.folder, index="images", client=client, options=LoadOptions(engine="faiss"))
    own = f"own-{os.urandom(3).hex()}"
    client.indices.create(index=own)
    with pytest.raises(ClusterError, match="index of its own"):
        load_shards(items.folder, index=own, client=client)
    client.indices.delete(index=own)


def test_a_changed_vocabulary_is_refused(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    items = collection(tmp_path / "a", count=10)
    path = items.folder / "vocabulary.json"
    path.write_text(path.read_text().replace('"word1s": "word1"', '"word1s": "word2"'))
    with pytest.raises(ShardError, match="changed after encoding"):
        load_shards(items.folder, index=index_name("vocabulary"), client=client)
