"""What a load takes the place of: an index never loses much unasked, and another source is named."""

from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.indices import Names, contents
from support.synthetic import collection

from lexel.pipeline.cli.views.job_reports import say_loaded
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import read_job, write_job
from lexel.pipeline.shards.shard import Failure, write_shard

SHRINK = LoadOptions(allow_shrink=True)


def fail(folder: Path, uris: list[str]) -> None:
    """Make these items of shard 0 failures, as though their disk were away."""
    shard = finished_shards(folder)[0]
    table = shard.table()
    kept = table.filter([uri not in uris for uri in table["uri"].to_pylist()])
    failures = [Failure(None, uri, "unreadable: No such file or directory") for uri in uris]
    write_shard(folder, 0, kept, listing=shard.listing(), failures=failures)


def test_an_index_that_would_lose_more_than_a_tenth_stays(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    index = index_name("shrink")
    items = collection(tmp_path / "a", count=20)
    load_shards(items.folder, index=index, client=client)
    with pytest.raises(ClusterError, match=r"shows 20 documents of /pictures, and 3 of them .*--allow-shrink"):
        load_shards(collection(tmp_path / "b", count=17, seed=1).folder, index=index, client=client)
    assert set(contents(client, index)) == set(items.ids)
    assert load_shards(collection(tmp_path / "c", count=18, seed=2).folder, index=index, client=client).documents == 18
    fewer = collection(tmp_path / "d", count=3, seed=3)
    assert load_shards(fewer.folder, index=index, client=client, options=SHRINK).documents == 3
    assert load_shards(fewer.folder, index=index, client=client).sent == 0


def test_new_documents_do_not_hide_those_that_would_go(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("hidden")
    load_shards(collection(tmp_path / "a", count=20).folder, index=index, client=client)
    more = collection(tmp_path / "b", count=30, seed=1)
    fail(more.folder, [f"{i:06d}.jpg" for i in range(3)])
    with pytest.raises(ClusterError, match="3 of them would be gone"):
        load_shards(more.folder, index=index, client=client)
    assert load_shards(more.folder, index=index, client=client, options=SHRINK).documents == 27


def test_nothing_is_no_index(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("nothing")
    items = collection(tmp_path / "a", count=5)
    fail(items.folder, [f"{i:06d}.jpg" for i in range(5)])
    with pytest.raises(ClusterError, match="would be empty"):
        load_shards(items.folder, index=index, client=client)
    assert not client.indices.exists_alias(name=index)
    assert load_shards(items.folder, index=index, client=client, options=SHRINK).documents == 0


def test_another_source_is_named(
    client: OpenSearch, tmp_path: Path, index_name: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    index = index_name("other")
    say_loaded(load_shards(collection(tmp_path / "a", count=8).folder, index=index, client=client), index)
    assert "showed" not in capsys.readouterr().out
    other = collection(tmp_path / "b", count=9, seed=1)
    about = read_job(other.folder)
    write_job(other.folder, type(about)(**{**about.__dict__, "root": "/b", "source": "list.csv"}))
    say_loaded(load_shards(other.folder, index=index, client=client), index)
    assert f"{index} showed 8 documents of /pictures; it now shows 9 of /b/list.csv." in capsys.readouterr().out
