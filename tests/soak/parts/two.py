"""Two loads to one alias in the same moment, of the same shards and of others: one whole collection is left."""

from collections.abc import Iterator
from pathlib import Path

from opensearchpy import OpenSearch
from support.indices import contents
from support.synthetic import collection

from lexel.pipeline.load.run import load_shards
from soak.ground import Ground, Tried
from soak.processes import begin


def soak(ground: Ground) -> Iterator[Tried]:
    for same in (True, False):
        times = ground.times(5)
        names = [f"two-{str(same).lower()}-{i}" for i in range(times)]
        wrong = [at_once(ground.client, ground.node.url, ground.place(n), n, same=same, count=1000) for n in names]
        found = [words for words in wrong if words]
        kind = "the same shards" if same else "different shards"
        yield Tried(f"two loads to one alias at once, {kind}", times, len(found), "; ".join(found)[:200])


def at_once(client: OpenSearch, url: str, folder: Path, index: str, *, same: bool, count: int) -> str:
    """Load two at once; what is then wrong, in words."""
    one = collection(folder / "a", count=count, seed=1)
    other = one if same else collection(folder / "b", count=count + 50, seed=2)
    said = [folder / "said-0", folder / "said-1"]
    processes = [
        begin(["load", str(items.folder), "--index", index], where, url)
        for items, where in zip((one, other), said, strict=True)
    ]
    for process, where in zip(processes, said, strict=True):
        process.join(200)
        if process.exitcode != 0:
            return f"exit code {process.exitcode}: {where.read_text()[-200:]}"
    held = list(client.indices.get_alias(name=index))
    if len(held) != 1:
        return f"the alias means {held}"
    there = contents(client, index)
    if set(there) not in (set(one.ids), set(other.ids)):
        return f"{len(there)} documents of {count}"
    load_shards((one if set(there) == set(one.ids) else other).folder, index=index, client=client)
    left = set(client.indices.get_alias(index=f"{index}-*"))
    return "" if left == set(held) else f"{left} are left"
