"""The ledger of a folder of shards: which row of which shard holds an item, and what its file was like then.

An item's place is where it was written, whatever its place in the source. A row whose item is gone, or was written
again, is dead: it stays in its shard until `compact`, and is used again where its bytes come back under some name.
Shards are written first, the ledger last and whole. A shard that no ledger names is one of a run that was killed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from lexel.pipeline.shards.shard import Failure, Shard
from lexel.pipeline.sources.item import Item, occurrence_key

SCHEMA = pa.schema(
    [
        ("key", pa.binary(16)), ("status", pa.int8()),
        ("id", pa.string()), ("own_id", pa.bool_()), ("uri", pa.string()),
        ("size", pa.int64()), ("changed", pa.int64()), ("content", pa.binary(16)), ("described", pa.int64()),
        ("shard", pa.int32()), ("row", pa.int32()), ("generation", pa.int32()),
        ("phash", pa.int64()), ("near", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
# The columns of a shard that make its entries.
_OF_SHARD = (
    *("key", "id", "own_id", "uri", "size", "changed", "content", "described", "phash"),
    *("text", "captions", "label", "metadata"),
)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class EntryStatus(IntEnum):
    """What an entry says: there is a row for the item, there was one, or the item could not be encoded."""

    LIVE = 0
    DEAD = 1
    FAILED = 2


@dataclass(frozen=True)
class Ledger:
    """Entries as a table with SCHEMA; `listings` names the content of each shard, `generation` counts the changes.

    `of` and `index` say which part's entries they are. `joined` is one of several files, each of which names the
    near-duplicate groups of its own entries alone.
    """

    entries: pa.Table = field(default_factory=SCHEMA.empty_table)
    listings: Mapping[int, str] = field(default_factory=dict)
    generation: int = 0
    index: int = 0
    of: int = 1
    joined: bool = False

    def __len__(self) -> int:
        return int(self.entries.num_rows)

    def ints(self, name: str, missing: int = -1) -> Ints:
        """A column of numbers, as a new array."""
        return np.array(self.entries[name].cast(pa.int64()).fill_null(missing).to_numpy(), np.int64)

    @cached_property
    def status(self) -> Ints:
        """The status of each entry."""
        return self.ints("status")

    @cached_property
    def live(self) -> Bools:
        """Which entries have a row that is read."""
        return np.asarray(self.status == EntryStatus.LIVE)

    @cached_property
    def shown(self) -> Bools:
        """The live entries without those whose id an earlier one has: each is one document."""
        live = np.flatnonzero(self.live)
        _, first = np.unique(hashes(self.entries["id"].take(live)), return_index=True)
        found = np.zeros(len(self), bool)
        found[live[first]] = True
        return found

    @property
    def failures(self) -> list[Failure]:
        """The items that could not be encoded."""
        rows = self.entries.filter(pa.array(self.status == EntryStatus.FAILED)).select(["id", "uri", "reason"])
        return [Failure(**row) for row in rows.to_pylist()]

    def alive(self) -> dict[int, Ints]:
        """The live rows of each shard, ascending."""
        shards, rows = self.ints("shard")[self.live], self.ints("row")[self.live]
        order = np.lexsort((rows, shards))
        shards, rows = shards[order], rows[order]
        numbers, starts = np.unique(shards, return_index=True)
        return dict(zip(numbers.tolist(), np.split(rows, starts[1:]), strict=True)) if len(numbers) else {}

    def with_column(self, name: str, values: Any) -> "Ledger":
        """The ledger with other values in a column."""
        place = SCHEMA.get_field_index(name)
        column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, SCHEMA.field(name).type)
        return replace(self, entries=self.entries.set_column(place, SCHEMA.field(name), column))

    def with_unknown_state(self, some: Ints) -> "Ledger":
        """The ledger with some entries whose files are to be looked at again."""
        if not len(some):
            return self
        changed = self.ints("changed")
        changed[some] = -1
        return self.with_column("changed", changed)

    def where(self, some: Bools) -> "Ledger":
        """Some of the entries."""
        return self if some.all() else replace(self, entries=self.entries.filter(pa.array(some)))

    def with_entries(self, new: pa.Table, listings: Mapping[int, str]) -> "Ledger":
        """With entries of shards that were written later: they hold good where both know an item."""
        new = _distinct(new)
        taken = pc.is_in(self.entries["key"], value_set=new["key"].combine_chunks()).to_numpy()
        status = np.where(taken & self.live, int(EntryStatus.DEAD), self.status)
        old = self.with_column("status", status.astype(np.int8)).where(~(taken & (self.status == EntryStatus.FAILED)))
        entries = joined([old.entries, new]) if len(old) else new
        return replace(self, entries=entries, listings={**self.listings, **listings})


def shard_entries(shard: Shard, generation: int) -> pa.Table:
    """The entries of all rows and failures of a shard."""
    rows = shard.table(_OF_SHARD)
    return pa.concat_tables(
        [row_entries(rows, shard.number, generation), failure_entries(shard.failures(), generation)]
    )


def row_entries(rows: pa.Table, shard: int, generation: int) -> pa.Table:
    """The entries of the rows of a shard, from its columns."""
    count = rows.num_rows
    rows = rows.replace_schema_metadata(None)
    if "key" not in rows.column_names or rows["key"].null_count:  # an older version's
        rows = _identified(rows)
    columns: dict[str, Any] = {name: rows[name] if name in rows.column_names else None for name in SCHEMA.names}
    columns |= {
        "status": np.full(count, EntryStatus.LIVE, np.int8),
        "shard": np.full(count, shard),
        "row": np.arange(count),
    }
    columns["generation"] = np.full(count, generation)
    return pa.table([_column(columns[f.name], f.type, count) for f in SCHEMA], schema=SCHEMA)


def failure_entries(failures: Sequence[Failure], generation: int) -> pa.Table:
    """The entries of items that could not be encoded."""
    rows = [
        {
            "key": bytes.fromhex(one.key) if one.key else Item(one.uri).key(),
            "status": int(EntryStatus.FAILED),
            "own_id": False,
            "generation": generation,
            "shard": -1,
            "row": -1,
        }
        | {name: getattr(one, name) for name in ("id", "uri", "reason", "described", "size", "changed")}
        for one in failures
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def hashes(names: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each string."""
    content = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names.to_pylist())
    return np.frombuffer(content, "<u8")


def _column(values: Any, kind: pa.DataType, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, kind)
    return values.cast(kind) if isinstance(values, pa.ChunkedArray) else pa.array(values, kind)


def _identified(rows: pa.Table) -> pa.Table:
    """The rows with what older versions did not store, and can be told from what they did."""
    items = [
        Item(
            row["uri"],
            text=row["text"],
            captions=tuple(row["captions"] or ()),
            label=row["label"],
            metadata=orjson.loads(row["metadata"] or "{}"),
        )
        for row in rows.select(["uri", "text", "captions", "label", "metadata"]).to_pylist()
    ]
    new = {"key": pa.array([item.key() for item in items], pa.binary(16)), "described": [i.described() for i in items]}
    new["own_id"] = pa.array([False] * len(items), pa.bool_())
    kept = rows.drop_columns([name for name in new if name in rows.column_names])
    for name, values in new.items():
        kept = kept.append_column(name, values if isinstance(values, pa.Array) else pa.array(values, pa.int64()))
    return kept


def _distinct(entries: pa.Table) -> pa.Table:
    """The entries with keys of their own: one that stands twice is that of two items of one name (see Item)."""
    if pc.count_distinct(entries["key"]).as_py() == entries.num_rows:
        return entries
    seen, keys = dict[bytes, int](), list[bytes]()
    for key in entries["key"].to_pylist():
        seen[key] = seen.get(key, -1) + 1
        keys.append(occurrence_key(key, seen[key]) if seen[key] else key)
    return entries.set_column(0, SCHEMA.field("key"), pa.array(keys, pa.binary(16)))


def together(shards: Iterable[tuple[int, str, pa.Table]]) -> Iterator[tuple[pa.Table, dict[int, str]]]:
    """Shards, each a number, a listing and entries, as what `with_entries` takes one after another: where several hold
    an item, the last one does.

    They come at once where no two hold the same, as usual, since a ledger is copied each time.
    """
    some = list(shards)
    if not some:
        return
    keys = [entries["key"] for *_, entries in some]
    chunks = [chunk for column in keys for chunk in column.chunks]
    different = pc.count_distinct(pa.chunked_array(chunks, pa.binary(16))).as_py()
    if different == sum(pc.count_distinct(column).as_py() for column in keys):
        yield joined([entries for *_, entries in some]), {number: listing for number, listing, _ in some}
    else:
        yield from ((joined([entries]), {number: listing}) for number, listing, entries in some)


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables of entries as one, column by column: where nobody else holds them, hardly more is in memory than one."""
    rest = pa.concat_tables([SCHEMA.empty_table(), *tables])
    del tables
    columns = list[pa.ChunkedArray]()
    for name in SCHEMA.names:
        columns.append(rest.select([name]).combine_chunks().column(0))
        rest = rest.drop_columns([name])
    return pa.table(columns, schema=SCHEMA)
