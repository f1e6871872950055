"""The ledger: what holds good where several speak of an item, in memory and on disk."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.ledger import SCHEMA, EntryStatus, Ledger, failure_entries, row_entries, together
from lexel.pipeline.shards.ledger_file import ledger_name, read_ledger, write_ledger
from lexel.pipeline.shards.ledger_index import by_content, by_key
from lexel.pipeline.shards.part import WHOLE, Part
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import FileState, Item, content_hash

_VECTOR = np.ones(4, np.float32) / 2


def _entries(contents: Mapping[str, bytes], shard: int, generation: int = 1) -> pa.Table:
    rows = [
        Row(Item(uri), f"{uri}-id", 1, 1, {}, _VECTOR, None, None, content_hash(content), FileState(len(content), 7))
        for uri, content in contents.items()
    ]
    return row_entries(table(rows, dim=4, feature_dim=None), shard, generation)


def _ledger(contents: Mapping[str, bytes], shard: int = 0, part: Part = WHOLE, generation: int = 1) -> Ledger:
    mine = {uri: content for uri, content in contents.items() if part.has(uri)}
    empty = Ledger(generation=generation, index=part.index, of=part.of)
    return empty.with_entries(_entries(mine, shard, generation), {shard: f"listing-{shard}"})


def _said(ledger: Ledger) -> list[tuple[str, int, int]]:
    """The items that have a row, and where."""
    rows = ledger.entries.filter(ledger.live).select(["uri", "shard", "row"]).to_pylist()
    return sorted((row["uri"], row["shard"], row["row"]) for row in rows)


def test_a_later_row_holds_good_and_the_earlier_one_is_dead() -> None:
    found = _ledger({"a": b"1", "b": b"2"}).with_entries(_entries({"b": b"3", "c": b"4"}, 1), {1: "listing-1"})
    assert _said(found) == [("a", 0, 0), ("b", 1, 0), ("c", 1, 1)]
    assert found.status.tolist() == [EntryStatus.LIVE, EntryStatus.DEAD, EntryStatus.LIVE, EntryStatus.LIVE]
    assert {number: rows.tolist() for number, rows in found.alive().items()} == {0: [0], 1: [0, 1]}
    assert dict(found.listings) == {0: "listing-0", 1: "listing-1"}


def test_a_failure_takes_the_place_of_a_row_and_a_row_that_of_a_failure() -> None:
    failed = failure_entries([Failure.of(Item("a"), "x", "bad", FileState(3, 9))], 2)
    found = _ledger({"a": b"1"}).with_entries(failed, {})
    assert found.status.tolist() == [EntryStatus.DEAD, EntryStatus.FAILED]
    assert [(one.uri, one.id, one.reason) for one in found.failures] == [("a", "x", "bad")]
    mended = found.with_entries(_entries({"a": b"2"}, 1), {1: "l"})
    assert mended.status.tolist() == [EntryStatus.DEAD, EntryStatus.LIVE]


@pytest.mark.parametrize("again", [{}, {"b": b"5"}, {"b": b"5", "a": b"6"}])
def test_shards_are_added_at_once_or_one_after_another_with_the_same_end(again: dict[str, bytes]) -> None:
    contents = [{"a": b"1", "b": b"2"}, {"c": b"3"}, {"d": b"4"} | again]
    pieces = [(n, f"listing-{n}", _entries(some, n)) for n, some in enumerate(contents, 1)]
    one_by_one = _ledger({"a": b"0", "z": b"0"})
    for number, listing, entries in pieces:
        one_by_one = one_by_one.with_entries(entries, {number: listing})
    found, times = _ledger({"a": b"0", "z": b"0"}), 0
    for entries, listings in together(pieces):
        found, times = found.with_entries(entries, listings), times + 1
    assert times == (3 if again else 1)
    assert found.entries.to_pylist() == one_by_one.entries.to_pylist()
    assert dict(found.listings) == dict(one_by_one.listings)
    assert not list(together([]))


def test_items_of_one_name_have_keys_of_their_own() -> None:
    twice = pa.concat_tables([_entries({"a": b"1"}, 0), _entries({"a": b"2"}, 1)])
    found = Ledger().with_entries(twice, {})
    assert len(set(found.entries["key"].to_pylist())) == 2
    again = by_key(found).find([Item("a").key(), Item("a", occurrence=1).key(), Item("a", occurrence=2).key()])
    assert again.tolist() == [0, 1, -1]


def test_entries_are_found_by_key_and_by_content() -> None:
    found = _ledger({str(i): b"%d" % (i % 40) for i in range(50)})
    status = found.status.copy()
    status[3] = EntryStatus.DEAD
    found = found.with_column("status", status.astype(np.int8))
    keys = by_key(found).find([Item(str(i)).key() for i in range(60)]).tolist()
    assert keys == [-1 if i == 3 or i >= 50 else i for i in range(60)]
    contents = by_content(found).find([content_hash(b"%d" % i) for i in (3, 5, 45)])
    assert contents.tolist() == [43, 5, -1]  # of equal ones the first that is alive
    assert by_key(Ledger()).find([Item("a").key()]).tolist() == [-1]


def test_of_items_with_one_id_the_first_is_shown() -> None:
    entries = _entries({"a": b"1", "b": b"2", "c": b"3"}, 0)
    place = SCHEMA.get_field_index("id")
    found = Ledger(entries.set_column(place, SCHEMA.field("id"), pa.array(["x", "y", "x"])))
    assert found.shown.tolist() == [True, True, False]


def test_a_ledger_is_read_back(tmp_path: Path) -> None:
    wanted = _ledger({"a": b"1", "b": b"2"}, 3, generation=5)
    assert read_ledger(tmp_path) is None
    write_ledger(tmp_path, wanted)
    found = read_ledger(tmp_path)
    assert found is not None
    assert found.entries.equals(wanted.entries)
    assert (dict(found.listings), found.generation, found.index, found.of, found.joined) == (
        {3: "listing-3"},
        5,
        0,
        1,
        False,
    )


_FIRST = {f"{i}.jpg": b"%d" % i for i in range(20)}
_LATER = {f"{i}.jpg": b"%d" % i for i in range(10, 30)}


def test_a_part_speaks_for_its_items_and_older_ledgers_for_the_rest(tmp_path: Path) -> None:
    write_ledger(tmp_path, _ledger(_FIRST))
    part = Part(1, 3)
    write_ledger(tmp_path, _ledger(_LATER, 1, part, 2))
    found = read_ledger(tmp_path)
    assert found is not None
    assert found.joined
    assert {uri for uri, _, _ in _said(found)} == {
        *(uri for uri in _FIRST if not part.has(uri)),
        *(uri for uri in _LATER if part.has(uri)),
    }
    mine = read_ledger(tmp_path, part)
    assert mine is not None
    assert {uri for uri, _, _ in _said(mine)} == {uri for uri in _LATER if part.has(uri)}
    assert (mine.index, mine.of, mine.generation) == (1, 3, 2)


def test_ledgers_of_which_nothing_holds_good_are_removed(tmp_path: Path) -> None:
    write_ledger(tmp_path, _ledger(_FIRST))
    for index in range(3):
        assert (tmp_path / "ledger.parquet").exists()
        write_ledger(tmp_path, _ledger(_LATER, index, Part(index, 3), 2))
    names = {ledger_name(Part(index, 3)) for index in range(3)}
    assert {path.name for path in tmp_path.iterdir()} == names
    for index in range(2):
        write_ledger(tmp_path, _ledger(_LATER, 5 + index, Part(index, 2), 3 + index))
    assert {path.name for path in tmp_path.iterdir()} == {ledger_name(Part(index, 2)) for index in range(2)}
    found = read_ledger(tmp_path)
    assert found is not None
    assert {uri for uri, _, _ in _said(found)} == set(_LATER)
    write_ledger(tmp_path, replace(_ledger(_FIRST), generation=9))
    assert {path.name for path in tmp_path.iterdir()} == {"ledger.parquet"}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000])
def test_a_broken_ledger_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.parquet").write_bytes(content)
    with pytest.raises(ShardError, match="is broken; delete it and give the same command again"):
        read_ledger(tmp_path)


def test_the_parts_share_the_items() -> None:
    names = [f"{i}.jpg" for i in range(1000)]
    owners = [[i for i in range(4) if Part(i, 4).has(name)] for name in names]
    assert {len(some) for some in owners} == {1}
    assert min(owners.count([i]) for i in range(4)) > 200
    assert [Part(4, 4).has(name) for name in names] == [Part(0, 4).has(name) for name in names]
