"""The node killed and started again, in the middle of loads and between searches."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError
from support.indices import contents, count
from support.synthetic import Collection, collection

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.load.run import load_shards
from soak.ground import Ground, Tried, own_node
from soak.processes import begin


def soak(ground: Ground) -> Iterator[Tried]:
    items = collection(ground.place("nodes") / "shards", count=4000, shard_size=250, seed=ground.seed)
    load_shards(items.folder, index="nodes-clean", client=ground.client)
    wanted = contents(ground.client, "nodes-clean")
    chance, times = ground.dice("nodes"), ground.times(3)
    with own_node() as node:
        lost = sum(broken_load(node, items, wanted, chance, f"node-{i}") for i in range(times))
        yield Tried("kill -9 of the node during a load, started again", times, lost, "the load waited and ended right")
        lost = sum(broken_search(node, f"node-{i}", ground.place("said")) for i in range(times))
        yield Tried("kill -9 of the node between searches", times, lost, "one sentence, then the same hits as before")


def restart(node: node_control.Node) -> node_control.Node:
    """Kill the node and start it again at the same address."""
    os.kill(node.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while node_control.status(node.home).pid is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return node_control.start(home=node.home, heap="512m", port=int(node.url.rpartition(":")[2]))


def broken_load(
    node: node_control.Node, items: Collection, wanted: dict[str, object], chance: random.Random, index: str
) -> bool:
    """A load during which the node is killed; whether something was then lost or doubled."""
    client = connect(Address(node.url))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            load_shards(items.folder, index=index, client=connect(Address(node.url)))
        except BaseException as error:
            errors.append(error)

    loading = threading.Thread(target=work)
    loading.start()
    some = chance.randint(1, len(items.ids) - 1500)
    while loading.is_alive() and count(client, index) < some:
        time.sleep(0.01)
    midway = loading.is_alive()
    current = node_control.running(node.home)
    assert current is not None
    restart(current)
    loading.join(200)
    return not midway or bool(errors) or contents(client, index) != wanted


def broken_search(node: node_control.Node, index: str, folder: Path) -> bool:
    """Searches before, while and after the node is away; whether one said anything but its hits or one sentence."""
    words = ["search", "word1 word2", "--index", index, "--mode", "words", "--json"]
    current = node_control.running(node.home)
    assert current is not None
    before, _ = _said(words, folder, current.url)
    os.kill(current.pid, signal.SIGKILL)
    while node_control.status(node.home).pid is not None:
        time.sleep(0.05)
    away, code = _said(words, folder, current.url)
    node_control.start(home=node.home, heap="512m", port=int(current.url.rpartition(":")[2]))
    _recovered(connect(Address(current.url)))
    after, _ = _said(words, folder, current.url)
    sentence = code == 1 and len(away.strip().splitlines()) == 1 and "OpenSearch does not answer" in away
    return not sentence or _hits(before) != _hits(after) or '"id"' not in before


def _recovered(client: OpenSearch) -> None:
    """Wait until the node has read its indices: on a busy machine longer than one request may take."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(TransportError):  # 408, not yet
            client.cluster.health(wait_for_status="yellow")
            return


def _hits(said: str) -> list[str]:
    return [line for line in said.splitlines() if "took" not in line]


def _said(words: list[str], folder: Path, url: str) -> tuple[str, int | None]:
    process = begin(words, folder / "said", url)
    process.join(100)
    return (folder / "said").read_text(), process.exitcode
