"""A job that is killed, stopped or out of disk goes on to the very shards of one that never was."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from support.jobs import SHARD, marks, run
from support.making import contents, partly_bad, random_encoder, run_lexel

from lexel.encoders.encoder import Encoder
from lexel.pipeline.shards.folder import finished_shards


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


MANY = 160


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that take a while, some of them bad."""
    return partly_bad(tmp_path_factory.mktemp("many"), count=MANY)


@pytest.fixture(scope="module")
def unbroken(many: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    run(many, out, encoder)
    return contents(out)


def arguments(source: Path, out: Path, encoder: Encoder) -> list[str]:
    options = ["--encoder", str(encoder.folder), "--shard-size", str(SHARD), "--batch-size", "3", "--device", "cpu"]
    return ["encode", str(source), str(out), *options, "--workers", "2"]


@pytest.fixture(scope="module")
def start() -> Callable[[list[str], Path], BaseProcess]:
    """Start `lexel` in a process of its own, forked from one that has torch loaded: that saves seconds each time."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["support.making", "lexel.pipeline.cli.main", "lexel.pipeline.encode.run"])

    def begin(words: list[str], said: Path) -> BaseProcess:
        process = context.Process(target=run_lexel, args=(words, said))
        process.start()
        return process

    return begin


Start = Callable[[list[str], Path], BaseProcess]


def _broken_off(process: BaseProcess, out: Path, *, after: int, pause: float, how: signal.Signals) -> None:
    """End the process `pause` seconds after there are `after` shards."""
    deadline = time.monotonic() + 100
    while len(finished_shards(out)) < after and process.exitcode is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(pause)
    assert process.pid is not None
    os.kill(process.pid, how)
    process.join(60)


@pytest.mark.parametrize("after", [1, 20])
def test_a_killed_job_goes_on_to_the_same_shards(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, start: Start, after: int
) -> None:
    out, pause = tmp_path / "out", random.Random(after).random() / 50  # a shard takes about as long
    process = start(arguments(many, out, encoder), tmp_path / "said")
    _broken_off(process, out, after=after, pause=pause, how=signal.SIGKILL)
    assert process.exitcode == -signal.SIGKILL
    before = marks(out)
    assert after <= len(before) < MANY // SHARD
    assert all(shard.rows() + len(shard.failures()) == SHARD for shard in finished_shards(out))
    assert run(many, out, encoder).new == MANY - SHARD * len(before)
    assert contents(out) == unbroken
    assert marks(out).items() >= before.items()


def test_two_kills_and_the_command_again(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, start: Start
) -> None:
    out = tmp_path / "out"
    for after in (4, 16):
        process = start(arguments(many, out, encoder), tmp_path / "said")
        _broken_off(process, out, after=after, pause=0.005, how=signal.SIGKILL)
        assert process.exitcode == -signal.SIGKILL
        assert after <= len(finished_shards(out)) < MANY // SHARD
    process = start(arguments(many, out, encoder), tmp_path / "said")
    process.join(100)
    said = (tmp_path / "said").read_text()
    assert process.exitcode == 0, said
    assert "156 of 160 items encoded" in said
    assert "by earlier runs" in said
    assert "4 failed" in said
    found = contents(out)
    assert found.pop("map.parquet")  # which the command makes when all is there
    assert found == unbroken


def test_ctrl_c_stops_at_once_and_goes_on_later(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, start: Start
) -> None:
    out = tmp_path / "out"
    process = start(arguments(many, out, encoder), tmp_path / "said")
    _broken_off(process, out, after=3, pause=0.01, how=signal.SIGINT)
    said = (tmp_path / "said").read_text()
    assert process.exitcode == 130, said
    assert "run the same command to resume" in " ".join(said.split())
    assert "Traceback" not in said
    assert 3 <= len(finished_shards(out)) < MANY // SHARD
    assert not list(out.glob(".*.tmp"))
    run(many, out, encoder)
    assert contents(out) == unbroken


def _said_in_one_sentence(process: "subprocess.CompletedProcess[str]", words: str) -> None:
    assert process.returncode == 1, process.stderr
    lines = process.stderr.strip().splitlines()
    assert lines[-1].startswith("lexel: ")
    assert words in lines[-1]
    assert lines[-1].endswith("give the same command again.")
    assert not [line for line in lines[:-1] if line.strip()]


@pytest.fixture
def namespace() -> list[str]:
    """How to run a command that may mount things which nobody else sees, and which go when it ends."""
    begin = ["unshare", "--mount", "--map-root-user"]
    try:
        able = subprocess.run([*begin, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("this machine has no `unshare`, by which a small disk of the test's own is made")
    if able.returncode:
        pytest.skip("this account may not mount a small disk of its own, which is filled up here")
    return begin


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, namespace: list[str]
) -> None:
    small, out = tmp_path / "small", tmp_path / "out"
    small.mkdir()
    (tmp_path / "script").write_text(
        'small=$1; out=$2; shift 2; mount -t tmpfs -o size=120k none "$small" || exit 9\n'
        '"$@"; rc=$?; cp -r "$small" "$out"; exit $rc\n'
    )
    script = [*namespace, "sh", str(tmp_path / "script"), str(small), str(out)]
    lexel = [sys.executable, "-c", "from lexel.pipeline.cli.main import main; main()", *arguments(many, small, encoder)]
    # One thread, as in the other runs: the sums are then equal to the last bit.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    process = subprocess.run([*script, *lexel], env=environment, capture_output=True, text=True, check=False)
    _said_in_one_sentence(process, "cannot be written (No space left on device)")
    there = contents(out)
    assert {name for name in there if name.endswith(".tmp")} == set()
    finished = [name for name in there if name.startswith("shard")]
    assert 0 < len(finished) < MANY // SHARD
    assert all(there[name] == unbroken[name] for name in finished)
    run(many, out, encoder)
    assert contents(out) == unbroken
