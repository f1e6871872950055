"""Loading over a bad network into a busy cluster: nothing lost or doubled, and one sentence where it must end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from soak.ground import Ground
from soak.parts.faults import loaded_wrongly
from soak.proxy import FAULTS, Faults, between
from support.indices import Names, contents
from support.synthetic import collection

from lexel.pipeline.cluster import retry
from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load import bulk
from lexel.pipeline.load.run import load_shards


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.01)
    monkeypatch.setattr(retry, "_LONGEST", 0.05)


@pytest.fixture
def ground(tmp_path: Path, node: node_control.Node) -> Ground:
    return Ground(tmp_path, node)


@pytest.mark.parametrize("kinds", [*((kind,) for kind in FAULTS), FAULTS], ids="-".join)
def test_no_fault_loses_or_doubles_anything(
    ground: Ground, kinds: tuple[str, ...], index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_BYTES", 20_000)  # many requests
    items = collection(ground.folder / "a", count=400)
    whole, index = index_name("whole"), index_name("faulty")
    load_shards(items.folder, index=whole, client=ground.client)
    faults = Faults(ground.dice("test"), kinds=kinds)
    assert loaded_wrongly(ground, items, contents(ground.client, whole), faults, index) == []
    assert sum(faults.seen[kind] for kind in kinds) >= 3


def test_what_is_refused_for_good_is_kept_and_the_rest_arrives(
    ground: Ground, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_BYTES", 20_000)
    items, index = collection(ground.folder / "a", count=400), index_name("poison")
    bad = frozenset(items.ids[5:400:80])
    faults = Faults(ground.dice("poison"), poisoned=bad)
    with between(ground.node.url, faults) as url, pytest.raises(ClusterError, match=f"rejected {len(bad)} of 400"):
        load_shards(items.folder, index=index, client=connect(Address(url)))
    lines = (items.folder / f"rejected-{index}.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == bad
    assert not ground.client.indices.exists_alias(name=index)
    loaded = load_shards(items.folder, index=index, client=ground.client)
    assert (loaded.documents, loaded.rejected) == (400, 0)
    assert not (items.folder / f"rejected-{index}.jsonl").exists()


@pytest.fixture
def away(node: node_control.Node) -> Iterator[tuple[Faults, OpenSearch]]:
    """A cluster that can be made to answer everything with one fault."""
    import random

    faults = Faults(random.Random(0), share=0)
    with between(node.url, faults) as url:
        yield faults, connect(Address(url))


@pytest.mark.parametrize("kind", ["503", "reset", "items"])
def test_a_cluster_that_stays_away_is_one_sentence(
    away: tuple[Faults, OpenSearch], tmp_path: Path, index_name: Names, kind: str
) -> None:
    faults, client = away
    items, index = collection(tmp_path / "a", count=50), index_name("away")

    class Watch:
        """Everything fails from the moment when loading begins."""

        def plan(self, *, total: int, done: int) -> None:
            faults.kinds, faults.share = (kind,), 1.0
            faults.some = lambda count: [True] * count  # type: ignore[method-assign]

        def advance(self, *, encoded: int, failed: int) -> None:
            """Never called."""

    with pytest.raises(
        ClusterError, match=r"was too busy or unavailable for minutes \(.+\); when it is available, run the same"
    ):
        load_shards(items.folder, index=index, client=client, progress=Watch())
    assert faults.seen[kind] >= retry.MAX_TRIES
    faults.share = 0.0
    assert load_shards(items.folder, index=index, client=client).documents == 50


def test_a_cluster_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    items = collection(tmp_path / "a", count=5)
    with pytest.raises(ClusterError, match="does not answer; see that it runs"):
        load_shards(items.folder, index="nowhere", client=connect(Address("http://127.0.0.1:9")))


def test_the_cluster_says_how_long_to_wait() -> None:
    """`Retry-After` goes before our own pauses, within a bound; a date and nonsense do not count."""
    waits = {"7": 7.0, "0": 0.0, "soon": None, "Wed, 21 Oct 2026 07:28:00 GMT": None, "": None, "²": None}
    for text, seconds in waits.items():
        busy = retry.BusyError(429, "busy", {})
        busy.retry_after = retry._seconds(text)
        assert busy.retry_after == seconds
    busy.retry_after = 3600.0
    assert retry.backoff(0, busy) == 6 * retry._LONGEST


def test_pauses_grow_and_end(away: tuple[Faults, OpenSearch], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.5)
    monkeypatch.setattr(retry, "_LONGEST", 10.0)
    faults, client = away
    faults.kinds, faults.share = ("502",), 1.0
    slept: list[float] = []
    with pytest.raises(retry.errors.TransportError):
        retry.with_retries(client, sleep=slept.append).info()
    assert len(slept) == retry.MAX_TRIES - 1
    assert 60 < sum(slept) < 150
    assert all(0.75 * b <= a <= b for a, b in zip(slept, [0.5, 1, 2, 4, 8] + [10] * 10, strict=True))


def test_what_is_wrong_with_the_request_is_not_asked_again(away: tuple[Faults, OpenSearch]) -> None:
    faults, client = away
    with pytest.raises(retry.errors.RequestError):
        retry.with_retries(client, sleep=lambda _: pytest.fail("waited")).search(index="*", body={"query": {"no": {}}})
    assert faults.requests == 1


def test_a_body_too_large_for_a_proxy_is_halved(node: node_control.Node) -> None:
    """413 comes from what stands before OpenSearch, and is about the size of a request and no document."""
    sizes: list[int] = []

    class Transport:
        def perform_request(self, method: str, url: str, *, params: object, body: bytes, headers: object) -> object:
            sizes.append(len(body))
            if len(body) > 500:
                raise retry.errors.TransportError(413, "too large", {})
            count = len(body.splitlines()) // 2
            return {"items": [{"index": {"status": 201}}] * count}

    client = OpenSearch(transport_class=lambda *_, **__: Transport())
    documents = [(str(i), b'{"a": "%b"}' % (b"x" * size)) for i, size in enumerate([100, 100, 900, 100, 100, 100])]
    sent = list(bulk.send(client, "any", documents, sleep=lambda _: None))
    assert (sum(s.accepted for s in sent), [r.id for s in sent for r in s.rejected]) == (5, ["2"])
    assert "larger than OpenSearch" in sent[0].rejected[0].reason


def test_a_full_disk_is_one_sentence_and_the_load_goes_on_later(
    client: OpenSearch, tmp_path: Path, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block that OpenSearch puts on an index when its disk is over the flood stage, put there in the middle."""
    monkeypatch.setattr(bulk, "MAX_BYTES", 20_000)
    items, index = collection(tmp_path / "a", count=400), index_name("flood")
    whole = index_name("whole")
    load_shards(items.folder, index=whole, client=client)

    class Watch:
        def plan(self, *, total: int, done: int) -> None:
            """Nothing yet."""

        def advance(self, *, encoded: int, failed: int) -> None:
            client.indices.put_settings(index=f"{index}-*", body={"index.blocks.read_only_allow_delete": True})

    with pytest.raises(ClusterError, match=r"^OpenSearch's disk is full; free some space, then run the same command"):
        load_shards(items.folder, index=index, client=client, progress=Watch())
    assert not client.indices.exists_alias(name=index)
    client.indices.put_settings(index=f"{index}-*", body={"index.blocks.read_only_allow_delete": None})
    assert load_shards(items.folder, index=index, client=client).documents == 400
    assert contents(client, index) == contents(client, whole)
