"""kill -9 of encode and of load at random moments, then the same command again: content as of one that ran unbroken."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from support.indices import contents as documents
from support.making import contents as files
from support.making import partly_bad, random_encoder
from support.synthetic import collection

from soak.ground import Ground, Tried
from soak.processes import begin, end, whole


def soak(ground: Ground) -> Iterator[Tried]:
    yield encode(ground, ground.times(25))
    yield load(ground, ground.times(25))


def encode(ground: Ground, kills: int) -> Tried:
    """`kills` kills of encodings, about three of each before it may end."""
    place = ground.place("kills")
    source, encoder = partly_bad(place / "photos", count=160), random_encoder(place / "encoder")
    options = ["--encoder", str(encoder.folder), "--shard-size", "4", "--batch-size", "3", "--device", "cpu"]

    def command(run: int) -> list[str]:
        return ["encode", str(source), str(place / f"out-{run}"), *options, "--workers", "2"]

    def same(run: int) -> bool:
        return files(place / f"out-{run}") == files(place / "out-0")

    return _until(ground, kills, command, same, "encode", place)


def load(ground: Ground, kills: int) -> Tried:
    """`kills` kills of loads."""
    place = ground.place("kills-load")
    items = collection(place / "shards", count=4000, shard_size=250, seed=ground.seed)

    def command(run: int) -> list[str]:
        return ["load", str(items.folder), "--index", f"kills-{place.name[-4:].strip('_')}{run}".lower()]

    def same(run: int) -> bool:
        return documents(ground.client, command(run)[-1]) == documents(ground.client, command(0)[-1])

    return _until(ground, kills, command, same, "load", place)


def _until(
    ground: Ground,
    kills: int,
    command: Callable[[int], list[str]],
    same: Callable[[int], bool],
    name: str,
    place: Path,
) -> Tried:
    chance, said = ground.dice(f"kills-{name}"), place / "said"
    whole(begin(command(0), said, ground.node.url), said)  # and the first has everything loaded
    began = time.monotonic()
    whole(begin(command(0), said, ground.node.url), said)
    idle = time.monotonic() - began  # what a run takes that finds nothing to do
    done = lost = run = 0
    while done < kills:
        run += 1
        left = 3
        while left and done < kills and end(begin(command(run), said, ground.node.url), _moment(chance, idle)):
            done, left = done + 1, left - 1
        whole(begin(command(run), said, ground.node.url), said)
        lost += not same(run)
    return Tried(f"kill -9 of lexel {name}", done, lost, f"{run} runs compared with an unbroken one")


def _moment(chance: random.Random, idle: float) -> float:
    """When to kill: mostly once it is at work."""
    return chance.uniform(0.3 * idle, idle + 2.0)
