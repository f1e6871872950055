"""Folders that change at random, synced and killed at random moments: the index ends as a fresh one would be."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from support.encoding.living_folder import LivingFolder
from support.encoding.living_index import LivingIndex
from support.making import random_encoder

from soak.ground import Ground, Tried
from soak.processes import begin, end, whole


def soak(ground: Ground) -> Iterator[Tried]:
    yield _killed(ground, ground.times(20))
    yield _at_once(ground, ground.times(5))


def _killed(ground: Ground, histories: int) -> Tried:
    """Histories of changes, each with syncs that are killed at random moments, compared with a fresh start."""
    dice, kills, wrong = ground.dice("sync"), 0, list[str]()
    encoder = random_encoder(ground.place("encoder") / "encoder")
    for number in range(histories):
        place, name = ground.place("sync"), f"soak-sync-{number}"
        living = _begun(place, seed=dice.randrange(1000))
        words, said = _command(place, name, encoder.folder), place / "said"
        whole(begin(words, said, ground.node.url), said)
        done = list[str]()
        for _ in range(3):
            done += [living.anything(dice) for _ in range(dice.randrange(1, 8))]
            kills += end(begin(words, said, ground.node.url), dice.uniform(0.3, 2.5))
        whole(begin(words, said, ground.node.url), said)
        try:
            LivingIndex(living, place, name, encoder, ground.client).check()
        except AssertionError as error:
            wrong.append(f"{str(error)[:100]} after {', '.join(done)}")
        _forget(ground, place, name)
    return Tried("histories of changes, with syncs killed", kills, len(wrong), "; ".join(wrong)[:300])


def _at_once(ground: Ground, times: int) -> Tried:
    """Two syncs of one index in the same moment, of one folder of shards and of two."""
    dice, wrong = ground.dice("sync-two"), list[str]()
    encoder = random_encoder(ground.place("encoder") / "encoder")
    for number in range(times):
        place, name = ground.place("sync-two"), f"soak-two-{number}"
        living = _begun(place, seed=number)
        words, said = _command(place, name, encoder.folder), place / "said"
        whole(begin(words, said, ground.node.url), said)
        for _ in range(6):
            living.anything(dice)
        other = [*words, "--out", str(place / "other")] if number % 2 else words
        running = [(begin(words, said, ground.node.url), said)]
        time.sleep(dice.uniform(0, 0.5))
        running.append((begin(other, place / "said-2", ground.node.url), place / "said-2"))
        for process, _ in running:
            process.join(200)
        whole(begin(words, said, ground.node.url), said)
        try:
            LivingIndex(living, place, name, encoder, ground.client).check()
        except AssertionError as error:
            wrong.append(str(error)[:100])
        _forget(ground, place, name)
    return Tried("two syncs of an index at once", times, len(wrong), "; ".join(wrong)[:300])


def _begun(place: Path, *, seed: int) -> LivingFolder:
    living = LivingFolder(place / "pictures")
    for i in range(20):
        living.add(f"holiday/{i}.jpg", seed + i)
    return living


def _command(place: Path, name: str, encoder: Path) -> list[str]:
    where = [
        "--index",
        name,
        "--encoder",
        str(encoder),
        "--allow-shrink",
        "--device",
        "cpu",
        "--workers",
        "1",
        "--exact",
    ]
    return ["sync", str(place / "pictures"), *where, "--out", str(place / "shards")]


def _forget(ground: Ground, place: Path, name: str) -> None:
    for index in ground.client.indices.get_alias(index=f"{name}-*"):
        ground.client.indices.delete(index=index)
    shutil.rmtree(place, ignore_errors=True)
