"""Groups of near-duplicates: every close pair is found, and nothing else is joined."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.synthetic import Collection, collection

from lexel.pipeline.collection import near_duplicates as nearness
from lexel.pipeline.collection.near_duplicates import RADIUS, groups, near_names
from lexel.pipeline.shards.folder import ShardFolder

Hashes = npt.NDArray[np.uint64]


def families(seed: int, *, count: int, members: int, flips: int) -> Hashes:
    """`count` families of random hashes, each member some flipped bits away from the one before it."""
    dice = np.random.default_rng(seed)
    found = []
    for start in dice.integers(0, 2**63, count, dtype=np.uint64).tolist():
        value = start
        for _ in range(members):
            found.append(value)
            for bit in dice.choice(64, flips, replace=False).tolist():
                value ^= 1 << bit
    return dice.permutation(np.array(found, np.uint64))


def brute(hashes: Hashes) -> list[int]:
    """The same groups by comparing all with all."""
    close = np.bitwise_count(hashes[:, None] ^ hashes) <= RADIUS
    first = list(range(len(hashes)))
    for _ in first:
        again = [min(first[j] for j in np.flatnonzero(row)) for row in close]
        if again == first:
            break
        first = again
    return first


@pytest.mark.parametrize("flips", range(RADIUS + 3))
def test_the_groups_are_those_of_comparing_all_with_all(flips: int) -> None:
    hashes = families(flips, count=60, members=4, flips=flips)
    found = groups(hashes)
    assert found.tolist() == brute(hashes)
    assert (len(set(found.tolist())) == 60) == (flips <= RADIUS)


def test_close_ones_link_to_far_ones() -> None:
    chain = np.array([(1 << RADIUS * i) - 1 for i in range(10)], np.uint64)
    assert groups(chain).tolist() == [0] * 10
    assert groups(np.delete(chain, 5)).tolist() == [0] * 5 + [5] * 4


def test_the_groups_are_the_same_however_many_are_sorted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = families(3, count=300, members=4, flips=4)
    wanted = groups(hashes)
    for at_once in (1000, 300, 1):
        monkeypatch.setattr(nearness, "_AT_ONCE", at_once)
        assert groups(hashes).tolist() == wanted.tolist()
    parts = [nearness._parts(mask, hashes) for mask in nearness._masks()]
    assert all(sorted(np.concatenate(list(rows)).tolist()) == list(range(len(hashes))) for rows in parts)


def test_many_of_one_kind_take_no_more_memory_than_pairs_that_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.unique(families(1, count=1, members=600, flips=1))
    wanted = groups(hashes)
    monkeypatch.setattr(nearness, "_PAIRS", 50)
    assert groups(hashes).tolist() == wanted.tolist()


def test_those_whose_waves_differ_are_apart() -> None:
    """Equal hashes in three kinds of waves, the third of which is alike to the second."""
    hashes = np.zeros(9, np.uint64)
    kinds = np.zeros((3, 64), np.int8)
    kinds[0, 5], kinds[1, 9], kinds[2, 9], kinds[2, 5] = 127, 127, 126, 12
    waves = kinds[[0, 1, 2, 0, 1, 2, 2, 1, 0]]
    assert groups(hashes).tolist() == [0] * 9
    assert groups(hashes, waves).tolist() == [0, 1, 1, 0, 1, 1, 1, 1, 0]
    assert groups(hashes, np.zeros_like(waves)).tolist() == [0] * 9


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few(count: int) -> None:
    assert groups(np.zeros(count, np.uint64)).tolist() == [0] * count


def _names(items: Collection) -> dict[str, str | None]:
    """The group of each item that is in one of several."""
    opened = ShardFolder.open(items.folder)
    names = near_names(opened.ledger, opened.shards)
    return dict(zip(opened.ledger.entries["id"].to_pylist(), names.to_pylist(), strict=True))


def test_a_group_is_named_by_its_smallest_id_and_texts_are_alone(tmp_path: Path) -> None:
    hashes = {3: 7, 150: 6, 40: 7, 8: -1, 9: -2}
    items = collection(tmp_path / "a", count=200, hashes=hashes)
    names = _names(items)
    together = min(items.ids[i] for i in (3, 150, 40))
    pair = min(items.ids[i] for i in (8, 9))
    assert [names[items.ids[i]] for i in (3, 150, 40, 8, 9)] == [together] * 3 + [pair] * 2
    assert all(names[items.ids[i]] is None for i in range(200) if i not in hashes)


def test_the_order_of_items_does_not_name_the_groups(tmp_path: Path) -> None:
    """Shards of another size hold the same items elsewhere."""
    hashes = {i: i // 4 * 0x0F0F_0101_3377 for i in range(100)}
    by_size = []
    for size in (7, 100):
        items = collection(tmp_path / str(size), count=100, shard_size=size, hashes=hashes)
        by_size.append(_names(items))
    assert by_size[0] == by_size[1]
