"""The alias and the indices behind it: who wins, what goes, and what is never touched."""

import threading
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from soak.parts.two import at_once
from support.indices import Names, contents
from support.synthetic import collection

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load import bulk
from lexel.pipeline.load.live import alias
from lexel.pipeline.load.run import load_shards

ABOUT = {"_meta": {"lexel": {"name": "some"}}}


def begun(client: OpenSearch, target: str, *, loading: bool = True) -> None:
    """What a load leaves that is killed, or killed before it removed what it had replaced."""
    aliases = alias.loading_aliases(target) if loading else {}
    client.indices.create(index=target, body={"mappings": ABOUT, "aliases": aliases})


def test_an_index_on_its_way_is_not_found_by_its_name(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("hidden")
    begun(client, f"{index}-00000000")
    assert not client.indices.exists(index=index)
    assert client.indices.get_alias(index=f"{index}-*")
    loaded = load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    assert client.indices.get_alias(name=index).keys() == {loaded.index}
    assert client.indices.get_alias(index=loaded.index)[loaded.index]["aliases"].keys() == {index}


def test_what_was_replaced_goes_and_what_may_still_be_loaded_stays(
    client: OpenSearch, tmp_path: Path, index_name: Names
) -> None:
    index = index_name("left")
    begun(client, f"{index}-00000000", loading=False)
    begun(client, f"{index}-11111111")
    found = load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    assert found.unfinished == (f"{index}-11111111",)
    assert client.indices.get_alias(index=f"{index}-*").keys() == {found.index, f"{index}-11111111"}


def test_what_was_begun_a_day_before_goes(
    client: OpenSearch, tmp_path: Path, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_name("day")
    begun(client, f"{index}-11111111")
    monkeypatch.setattr(alias, "_ABANDONED", -(10**9))  # as though a day had gone by
    found = load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    assert found.unfinished == ()
    assert client.indices.get_alias(index=f"{index}-*").keys() == {found.index}


def test_what_is_somebody_elses_is_never_removed(
    client: OpenSearch, tmp_path: Path, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_name("theirs")
    monkeypatch.setattr(alias, "_ABANDONED", -(10**9))
    client.indices.create(index=f"{index}-00000000")  # not ours, by what it says of itself
    client.indices.create(index=f"{index}-11111111", body={"mappings": ABOUT, "aliases": {f"{index}-prod": {}}})
    client.indices.create(index=f"{index}-22222222-33333333", body={"mappings": ABOUT})  # of another alias
    client.indices.create(index=f"{index}-latest", body={"mappings": ABOUT})
    before = set(client.indices.get_alias(index=f"{index}-*"))
    found = load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    assert set(client.indices.get_alias(index=f"{index}-*")) == before | {found.index}


def test_an_alias_of_a_foreign_index_is_refused_and_left(client: OpenSearch, tmp_path: Path, index_name: Names) -> None:
    index = index_name("foreign")
    client.indices.create(index=f"{index}-mine", body={"aliases": {index: {}}})
    with pytest.raises(ClusterError, match=r"is an alias of .*-mine, which lexel did not make"):
        load_shards(collection(tmp_path / "a", count=5).folder, index=index, client=client)
    assert client.indices.get_alias(name=index).keys() == {f"{index}-mine"}


def test_an_index_removed_in_the_middle_is_made_anew_and_whole(
    client: OpenSearch, tmp_path: Path, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSearch itself would make it anew by the next request, and guess its mappings."""
    monkeypatch.setattr(bulk, "MAX_BYTES", 20_000)
    items, index, whole = collection(tmp_path / "a", count=300), index_name("removed"), index_name("whole")
    load_shards(items.folder, index=whole, client=client)
    removed: list[str] = []

    class Watch:
        def plan(self, *, total: int, done: int) -> None:
            """Nothing yet."""

        def advance(self, *, encoded: int, failed: int) -> None:
            if not removed:
                removed.extend(client.indices.get_alias(index=f"{index}-*"))
                client.indices.delete(index=removed[0])

    found = load_shards(items.folder, index=index, client=client, progress=Watch())
    assert [found.index] == removed
    assert contents(client, index) == contents(client, whole)
    mapping: dict[str, Any] = client.indices.get_mapping(index=index)[found.index]["mappings"]
    assert mapping["properties"]["terms"] == {"type": "rank_features"}


def test_two_that_end_in_the_same_moment_leave_one(client: OpenSearch, index_name: Names) -> None:
    index = index_name("moment")
    targets = [f"{index}-{i}{i}{i}{i}{i}{i}{i}{i}" for i in range(6)]
    for target in targets:
        begun(client, target)
    threads = [threading.Thread(target=alias.take_over, args=(client, index, target)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(client.indices.get_alias(name=index)) == 1


@pytest.mark.parametrize("same", [True, False])
def test_two_loads_at_once_end_in_one_of_them(
    client: OpenSearch, at_node: str, tmp_path: Path, index_name: Names, same: bool
) -> None:
    assert at_once(client, at_node, tmp_path, index_name("two"), same=same, count=800) == ""
