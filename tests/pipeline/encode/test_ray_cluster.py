"""The job on a Ray cluster: the items of one process, also where a worker is killed on the way."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.parts.many import kill_one
from support.encoding.changing_collection import assert_same_items
from support.jobs import SHARD, run
from support.making import partly_bad, random_encoder
from typer.testing import CliRunner

from lexel.encoders.encoder import Encoder
from lexel.pipeline.cli.main import app
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.ray_cluster import encode_on_ray
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ConfigError, ShardError
from lexel.pipeline.ray_parts import PartPlan

MANY = 90
NODE = {"Alive": True, "Resources": {"CPU": 8.0, "memory": 1e9}}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three workers of one core each, on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'lexel[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that take a while, some of them bad."""
    return partly_bad(tmp_path_factory.mktemp("many"), count=MANY)


def begun(many: Path, out: Path, encoder: Encoder, *, write_map: bool = False) -> EncodeReport:
    options = EncodeOptions(device="cpu", workers=1, batch_size=3, shard_size=SHARD, write_map=write_map)
    return encode_on_ray(many, out, encoder=str(encoder.folder), options=options)


@pytest.mark.usefixtures("cluster")
def test_a_worker_is_killed_and_the_items_are_those_of_one_process(
    many: Path, encoder: Encoder, tmp_path: Path
) -> None:
    killed: list[int] = []
    killer = threading.Thread(target=lambda: killed.append(kill_one(tmp_path / "ray")))
    killer.start()
    report = begun(many, tmp_path / "ray", encoder)
    killer.join()
    assert killed[0]
    assert (report.items, report.encoded, report.failed) == (MANY, MANY - 4, 4)
    run(many, tmp_path / "one", encoder)
    assert_same_items(tmp_path / "ray", tmp_path / "one")
    assert begun(many, tmp_path / "ray", encoder, write_map=True).new == 0
    assert (tmp_path / "ray" / "map.parquet").exists()


@pytest.mark.usefixtures("cluster")
def test_what_a_part_raises_is_raised_here(many: Path, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(ShardError, match="cannot be created as a folder"):
        begun(many, tmp_path / "out", encoder)


def test_parts_are_the_gpus_of_the_cluster_or_its_machines() -> None:
    gpus = {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 4.0}}
    assert PartPlan.over([gpus, NODE], device="auto", workers=None) == PartPlan(parts=4, cpus=1, gpus=1)
    assert PartPlan.over([gpus, NODE], device="cpu", workers=None) == PartPlan(parts=3, cpus=8, gpus=0)
    assert PartPlan.over([NODE, NODE | {"Alive": False}], device="auto", workers=2) == PartPlan(parts=4, cpus=2, gpus=0)
    with pytest.raises(ConfigError, match="no machine"):
        PartPlan.over([NODE | {"Alive": False}], device="auto", workers=None)
    with pytest.raises(ConfigError, match="No machine of the Ray cluster has 9 CPU cores"):
        PartPlan.over([NODE, NODE], device="cpu", workers=9)


def test_ray_makes_its_own_parts(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["encode", str(tmp_path), str(tmp_path / "out"), "--ray", "--part", "1/2"])
    assert found.exit_code == 1
    assert "--ray divides the job itself" in found.output
