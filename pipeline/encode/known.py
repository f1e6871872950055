"""What a folder of shards holds when a job begins: its ledger, and what a run that was killed has written after it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.folder import stored_shards
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.ledger import Ledger, shard_entries
from lexel.pipeline.shards.ledger_file import read_ledger
from lexel.pipeline.shards.part import Part
from lexel.pipeline.shards.shard import Shard


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
    whole, mine = read_ledger(folder), read_ledger(folder, part)
    ledger = mine or Ledger(index=part.index % part.of, of=part.of)
    listings = whole.listings if whole else {}
    sound = {n for n, listing in listings.items() if n in there and there[n].holds(listing)}
    if lost := listings.keys() - sound:
        kept = ~np.isin(ledger.ints("shard"), sorted(lost))
        ledger = replace(ledger.where(kept), listings={n: ledger.listings[n] for n in ledger.listings.keys() & sound})
    broken, adopted = list[Shard](), False
    for number in sorted(there.keys() - sound):
        shard = there[number]
        try:
            shard.check(job)
            entries = shard_entries(shard, ledger.generation)
        except ShardError:
            broken.append(shard)
            continue
        if not part.whole:
            entries = entries.filter([part.has(uri) for uri in entries["uri"].to_pylist()])
        if part.whole or entries.num_rows:
            ledger, adopted = ledger.with_entries(entries, {number: shard.listing()}), True
    good = {number: there[number] for number in there.keys() - {shard.number for shard in broken}}
    return KnownShards(ledger, good, frozenset(there), tuple(broken), bool(mine) and not (lost or adopted))
