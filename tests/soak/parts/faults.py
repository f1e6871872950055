"""A proxy that answers 429 and 503, is slow, cuts answers and turns single documents away: nothing lost or doubled."""

import json
from collections.abc import Iterator

from support.indices import contents
from support.synthetic import Collection, collection

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards
from soak.ground import Ground, Tried
from soak.proxy import FAULTS, Faults, between


def soak(ground: Ground) -> Iterator[Tried]:
    items = collection(ground.place("faults") / "shards", count=3000, shard_size=250, seed=ground.seed)
    load_shards(items.folder, index="faults-clean", client=ground.client)
    wanted = contents(ground.client, "faults-clean")
    for kind in FAULTS:
        yield _tried(ground, items, wanted, (kind,), ground.times(2))
    yield _tried(ground, items, wanted, FAULTS, ground.times(6))
    yield _poison(ground, items, wanted)


def _tried(ground: Ground, items: Collection, wanted: dict[str, object], kinds: tuple[str, ...], times: int) -> Tried:
    lost = done = 0
    for i in range(times):
        faults = Faults(ground.dice(f"faults-{kinds}-{i}"), kinds=kinds)
        wrong = loaded_wrongly(ground, items, wanted, faults, f"faults-{len(kinds)}-{kinds[0]}-{i}")
        lost, done = lost + bool(wrong), done + faults.requests - faults.seen["none"]
    name = kinds[0] if len(kinds) == 1 else "all of these"
    return Tried(f"loads of 3,000 documents, 3 in 10 requests: {name}", times, lost, f"{done} faults")


def loaded_wrongly(
    ground: Ground, items: Collection, wanted: dict[str, object], faults: Faults, index: str
) -> list[str]:
    """Load through the proxy; the ids that are then missing, doubled or different."""
    with between(ground.node.url, faults) as url:
        load_shards(items.folder, index=index, client=connect(Address(url)))
    there = contents(ground.client, index)
    ground.client.indices.delete(index=f"{index}-*")
    return [id_ for id_ in wanted.keys() | there.keys() if wanted.get(id_) != there.get(id_)]


def _poison(ground: Ground, items: Collection, wanted: dict[str, object]) -> Tried:
    bad = frozenset(ground.dice("poison").sample(items.ids, 70))
    faults = Faults(ground.dice("poison"), poisoned=bad)
    lost, index = 0, "faults-poison"
    try:
        with between(ground.node.url, faults) as url:
            load_shards(items.folder, index=index, client=connect(Address(url)))
        lost += 1  # it must not end well
    except ClusterError as error:
        lost += "rejected 70 of 3000" not in str(error)
    kept = [json.loads(line) for line in (items.folder / f"rejected-{index}.jsonl").read_text().splitlines()]
    lost += {row["id"] for row in kept} != bad
    lost += ground.client.indices.exists_alias(name=index)
    load_shards(items.folder, index=index, client=ground.client)  # what was poison is so no longer
    lost += contents(ground.client, index) != wanted
    return Tried("70 documents refused for good among all faults: dead letters, and loaded later", 1, min(lost, 1))
