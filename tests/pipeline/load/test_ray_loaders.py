"""A load on a Ray cluster: the index of one loader, from as many as the cluster has cores for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.indices import Names, contents
from support.synthetic import collection, spoil
from typer.testing import CliRunner

from lexel.pipeline.cli.main import app
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import ClusterError, ShardError
from lexel.pipeline.load.ray_loaders import load_on_ray
from lexel.pipeline.load.run import load_shards


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Three workers of one core each, on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'lexel[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
def test_the_index_is_that_of_one_loader(
    client: OpenSearch, node: node_control.Node, tmp_path: Path, index_name: Names
) -> None:
    items = collection(tmp_path / "a", count=400, shard_size=50)
    spoil(items.folder, 1, shard=4)
    one, index = index_name("one"), index_name("ray")
    load_shards(items.folder, index=one, client=client)
    loaded = load_on_ray(items.folder, index=index, where=Address(node.url), cores=1)
    assert (loaded.documents, loaded.sent, loaded.rejected, loaded.missing) == (399, 399, 1, 0)
    assert loaded.rejects == (items.folder / f"rejected-{index}-1-of-3.jsonl",)
    assert contents(client, index) == contents(client, one)
    assert load_on_ray(items.folder, index=index, where=Address(node.url), cores=1).documents == 399
    assert len(client.indices.get(index=f"{index}-*")) == 1


@pytest.mark.usefixtures("cluster")
def test_what_a_loader_raises_is_raised_here(node: node_control.Node, tmp_path: Path, index_name: Names) -> None:
    items, index = collection(tmp_path / "a", count=20, shard_size=10), index_name("ray")
    spoil(items.folder, 2)
    with pytest.raises(ClusterError, match="rejected 2 of 20"):
        load_on_ray(items.folder, index=index, where=Address(node.url), cores=1)
    with pytest.raises(ShardError, match="lexel encode"):
        load_on_ray(tmp_path / "none", index=index, where=Address(node.url), cores=1)


def test_ray_makes_its_own_parts_of_a_load(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["load", str(tmp_path), "--ray", "--part", "1/2"])
    assert found.exit_code == 1
    assert "--ray divides the job itself" in found.output
