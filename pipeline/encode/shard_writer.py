"""Writes the shards of a run, and remembers their entries for the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from lexel.pipeline.shards.job import Job, listing
from lexel.pipeline.shards.ledger import failure_entries, row_entries
from lexel.pipeline.shards.shard import Failure, Shard, shard_name, write_shard
from lexel.pipeline.shards.table import rows_digest


@dataclass
class ShardWriter:
    """`numbers` are those of the next shards; `known` the reasons of items that failed before, by their key."""

    folder: Path
    job: Job
    generation: int
    numbers: Iterator[int]
    known: Mapping[bytes, str]
    entries: list[pa.Table] = field(default_factory=list)
    listings: dict[int, str] = field(default_factory=dict)

    def write(self, number: int, rows: pa.Table, failures: Sequence[Failure]) -> None:
        """Write a shard, unless it would say again what is known: that these items fail."""
        self.entries.append(failure_entries(failures, self.generation))
        if not rows.num_rows and all(self.known.get(bytes.fromhex(f.key)) == f.reason for f in failures):
            return
        name = listing(self.job, rows_digest(rows, [f.key + f.reason for f in failures]))
        write_shard(self.folder, number, rows, listing=name, failures=failures)
        self.entries.append(row_entries(rows, number, self.generation))
        self.listings[number] = name

    def taken(self) -> Iterator[pa.Table]:
        """The entries, for the last time: they are as large as a ledger, and are not to stand beside one."""
        self.entries.reverse()
        while self.entries:
            yield self.entries.pop()

    def shards(self) -> list[Shard]:
        """What was written."""
        return [Shard(number, self.folder / shard_name(number)) for number in self.listings]
