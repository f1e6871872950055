"""Whatever happens to a folder, and wherever a sync is broken off, the index ends as a fresh one would be."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from opensearchpy import OpenSearch
from support.encoding.living_folder import FOLDERS, LivingFolder
from support.encoding.living_index import LivingIndex
from support.making import random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode import run as encoding
from lexel.pipeline.encode import shard_writer
from lexel.pipeline.load import bulk

NAMES = st.builds(lambda folder, i: f"{folder}/{i}.jpg".lstrip("/"), st.sampled_from(FOLDERS), st.integers(0, 5))
NUMBERS = st.integers(0, 20)
# What a sync calls on its way, at which it can be killed.
STEPS: dict[str, tuple[Any, str]] = {
    "a shard is written": (shard_writer, "write_shard"),
    "the ledger is written": (encoding, "write_ledger"),
    "documents are sent": (bulk, "_post"),
}


class Killed(BaseException):
    """Stands for kill -9: nothing of the program catches it."""


@contextmanager
def killed_when(step: str, after: int) -> Iterator[None]:
    """Break off the `after`-th time that this is about to happen."""
    module, name = STEPS[step]
    real, times = getattr(module, name), itertools.count()

    def broken(*arguments: Any, **options: Any) -> Any:
        if next(times) == after:
            raise Killed
        return real(*arguments, **options)

    with mock.patch.object(module, name, broken):
        yield


class LivingMachine(RuleBasedStateMachine):
    """Changes a folder, syncs, and compares."""

    client: ClassVar[OpenSearch]
    encoder: ClassVar[Encoder]
    runs: ClassVar[Iterator[int]] = itertools.count()

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="lexel-living-")
        place = Path(self.folder.name)
        self.living = LivingFolder(place / "pictures")
        for i in range(3):
            self.living.add(f"{i}.jpg", seed + i)
        self.index = LivingIndex(self.living, place, f"living-{next(self.runs)}", self.encoder, self.client)
        self.index.sync()

    @rule(name=NAMES, seed=st.integers(0, 30))
    def add_or_change(self, name: str, seed: int) -> None:
        self.living.add(name, seed)

    @rule(number=NUMBERS, name=NAMES)
    def move(self, number: int, name: str) -> None:
        self.living.move(number, name)

    @rule(number=NUMBERS, name=NAMES)
    def copy(self, number: int, name: str) -> None:
        self.living.copy(number, name)

    @rule(number=NUMBERS)
    def remove(self, number: int) -> None:
        self.living.remove(number)

    @rule(number=NUMBERS)
    def spoil(self, number: int) -> None:
        self.living.spoil(number)

    @rule(number=NUMBERS, text=st.sampled_from(["a dog", "two boats"]))
    def caption(self, number: int, text: str) -> None:
        self.living.caption(number, text)

    @rule(number=NUMBERS, column=st.sampled_from(["stars", "year"]), value=st.integers(0, 9))
    def describe(self, number: int, column: str, value: int) -> None:
        self.living.describe(number, column, value)

    @rule(name=st.sampled_from(["trip", "travels"]))
    def rename_folder(self, name: str) -> None:
        self.living.rename_folder(name)

    @rule(step=st.sampled_from(sorted(STEPS)), after=st.integers(0, 2))
    def killed(self, step: str, after: int) -> None:
        try:
            with killed_when(step, after):
                self.index.sync()
        except Killed:
            pass

    @rule()
    def sync(self) -> None:
        self.index.sync()

    def teardown(self) -> None:
        self.index.sync()
        self.index.check()
        self.client.indices.delete(index=f"{self.index.name}-*")
        self.folder.cleanup()


def test_any_history_ends_in_the_index_of_a_fresh_start(client: OpenSearch, tmp_path: Path) -> None:
    LivingMachine.client, LivingMachine.encoder = client, random_encoder(tmp_path / "encoder")
    run_state_machine_as_test(
        LivingMachine,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_sync_that_is_broken_off_is_gone_on_with(client: OpenSearch, tmp_path: Path, step: str) -> None:
    living = LivingFolder(tmp_path / "pictures")
    for i in range(6):
        living.add(f"{i}.jpg", i)
    index = LivingIndex(living, tmp_path, "broken-off", random_encoder(tmp_path / "encoder"), client)
    index.sync()
    living.add("new.jpg", 50)
    living.move(1, "elsewhere/1.jpg")
    living.add("2.jpg", 51)
    living.remove(3)
    with pytest.raises(Killed), killed_when(step, 0):
        index.sync()
    index.sync()
    index.check()
    client.indices.delete(index="broken-off-*")
