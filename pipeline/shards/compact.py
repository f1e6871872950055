"""Writes the live rows of a folder into new shards, so that dead rows take no space and small shards become few."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa

from lexel.pipeline.shards.folder import ShardFolder, stored_shards
from lexel.pipeline.shards.folder_lock import locked_folder
from lexel.pipeline.shards.job import Job, listing
from lexel.pipeline.shards.ledger import EntryStatus, Ints, Ledger
from lexel.pipeline.shards.ledger_file import write_ledger
from lexel.pipeline.shards.part import WHOLE
from lexel.pipeline.shards.shard import Shard, write_shard
from lexel.pipeline.shards.table import completed_table, rows_digest

# From this share of dead rows on, or from so many shards that are less than half full, a sync compacts by itself.
_DEAD, _SMALL = 0.2, 32


@dataclass(frozen=True)
class CompactReport:
    """The number of shards and of dead rows before, and of shards after."""

    shards: int
    dead: int
    now: int


def is_compact(folder: Path) -> bool:
    """Whether a folder has few dead rows and few small shards."""
    opened = ShardFolder.open(folder)
    stored = sum(shard.stored_rows() for shard in opened.shards)
    small = sum(shard.rows() < opened.job.shard_size / 2 for shard in opened.shards)
    return stored - opened.rows <= _DEAD * stored and small <= _SMALL


def compact_shards(folder: Path) -> CompactReport:
    """Write the live rows of `folder` anew, in their order, and remove the shards that held them.

    Killed before the new ledger is there, it has changed nothing. Raises ShardError if the folder has no shards.
    """
    with locked_folder(folder, WHOLE):
        opened = ShardFolder.open(folder)
        before = stored_shards(folder)
        dead = sum(shard.stored_rows() for shard in opened.shards) - opened.rows
        numbers = count(max(shard.number for shard in before) + 1)
        made = [_write(folder, next(numbers), rows, opened.job) for rows in _rows(opened)]
        write_ledger(folder, _moved(opened.ledger, made))
        for shard in before:
            shard.path.unlink(missing_ok=True)
    return CompactReport(len(before), dead, len(made))


def _rows(opened: ShardFolder) -> Iterator[pa.Table]:
    """The live rows, in tables of a shard's size; an empty one where there are none."""
    held, size, job = list[pa.Table](), 0, opened.job
    for shard in opened.shards:
        table = completed_table(shard.table(), dim=job.dim, feature_dim=job.feature_dim)
        while size + table.num_rows >= job.shard_size:
            room = job.shard_size - size
            yield pa.concat_tables([*held, table.slice(0, room)])
            table, held, size = table.slice(room), [], 0
        held, size = [*held, table], size + table.num_rows
    if size or not opened.rows:
        yield pa.concat_tables(held)


def _write(folder: Path, number: int, rows: pa.Table, job: Job) -> Shard:
    rows = rows.combine_chunks()
    return write_shard(folder, number, rows, listing=listing(job, rows_digest(rows, [])), failures=[])


def _moved(ledger: Ledger, made: list[Shard]) -> Ledger:
    """The ledger with the live rows where they are now, and without those that are dead."""
    kept = ledger.where(ledger.status != EntryStatus.DEAD)
    shards, rows = kept.ints("shard"), kept.ints("row")
    live = np.flatnonzero(kept.live)
    order = live[np.lexsort((rows[live], shards[live]))]
    places: list[tuple[int, Ints]] = [(shard.number, np.arange(shard.stored_rows())) for shard in made]
    shards[order] = np.concatenate([np.full(len(own), number) for number, own in places])
    rows[order] = np.concatenate([own for _, own in places])
    moved = kept.with_column("shard", shards).with_column("row", rows)
    return replace(
        moved,
        listings={shard.number: shard.listing() for shard in made},
        generation=ledger.generation + 1,
        index=0,
        of=1,
    )
