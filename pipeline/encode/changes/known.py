"""What a folder of shards holds when a job begins: its ledger, and what a run that was killed has written after it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.folder import stored_shards
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.ledger import Ints, Ledger, shard_entries, together
from lexel.pipeline.shards.ledger_file import read_ledger
from lexel.pipeline.shards.part import Part
from lexel.pipeline.shards.shard import UNREADABLE, Shard

# A file that was changed so many nanoseconds before a killed run wrote its shard may have changed after it was read.
# It is read again; an hour is more than a shard takes.
_RACY = 3600 * 10**9


@dataclass(frozen=True)
class KnownShards:
    """The ledger of a part with all whole shards that are there, and whether the one on disk says the same.

    `numbers` are those of all files; `broken` are files that no ledger can use.
    """

    ledger: Ledger
    shards: dict[int, Shard]
    numbers: frozenset[int]
    broken: tuple[Shard, ...]
    written: bool


def known_shards(folder: Path, part: Part, job: Job) -> KnownShards:
    """Read the ledger of `part`, and adopt shards that it does not name. Entries of shards that are lost are left out.

    Raises ShardError for a broken ledger.
    """
    there = {shard.number: shard for shard in stored_shards(folder)}
    whole = read_ledger(folder)
    mine = whole if part.whole else read_ledger(folder, part)
    ledger = mine or Ledger(index=part.index % part.of, of=part.of)
    listings = whole.listings if whole else {}
    sound = {n for n, listing in listings.items() if n in there and there[n].holds(listing)}
    if lost := listings.keys() - sound:
        kept = ~np.isin(ledger.ints("shard"), sorted(lost))
        ledger = replace(ledger.where(kept), listings={n: ledger.listings[n] for n in ledger.listings.keys() & sound})
    broken, adopted = list[Shard](), list[tuple[int, str, pa.Table]]()
    for number in sorted(there.keys() - sound):
        shard = there[number]
        try:
            shard.check(job)
            entries = _adopted(shard, ledger.generation)
        except ShardError:
            broken.append(shard)
            continue
        if not part.whole:
            entries = entries.filter([part.has(uri) for uri in entries["uri"].to_pylist()])
        if part.whole or entries.num_rows:
            adopted.append((number, shard.listing(), entries))
    for some, named in together(adopted):
        entries, unread = without_unread(some, ledger)
        ledger = ledger.with_unknown_state(unread).with_entries(entries, named)
    good = {number: there[number] for number in there.keys() - {shard.number for shard in broken}}
    same = mine is not None and not (lost or adopted or (part.whole and mine.joined))
    return KnownShards(ledger, good, frozenset(there), tuple(broken), same)


def _adopted(shard: Shard, generation: int) -> pa.Table:
    entries = shard_entries(shard, generation)
    changed = entries["changed"].fill_null(-1).to_numpy()
    known = changed <= shard.path.stat().st_mtime_ns - _RACY
    place = entries.schema.get_field_index("changed")
    return entries.set_column(place, entries.schema.field(place), pa.array(np.where(known, changed, -1)))


def without_unread(entries: pa.Table, ledger: Ledger) -> tuple[pa.Table, Ints]:
    """New entries without those of files that are known, have changed and cannot be read now; and what is known.

    It is kept, and looked at again the next time.
    """
    unreadable = pc.starts_with(entries["reason"].fill_null(""), UNREADABLE).to_numpy()
    live = np.flatnonzero(ledger.live)
    keys = ledger.entries["key"].take(pa.array(live)).combine_chunks()
    known = unreadable & pc.is_in(entries["key"], value_set=keys).to_numpy()
    if not known.any():
        return entries, np.zeros(0, np.int64)
    some = entries["key"].filter(pa.array(known)).combine_chunks()
    return entries.filter(pa.array(~known)), live[pc.is_in(keys, value_set=some).to_numpy(zero_copy_only=False)]
