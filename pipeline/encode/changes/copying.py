"""Rows of shards for items whose bytes are known: copied, with what the source says of them now."""

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa

from lexel.pipeline.encode.changes.source_comparison import Change
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.ledger import Ledger
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.shards.table import completed_table, listed, listed_again


def copied_rows(changes: Sequence[Change], ledger: Ledger, shards: dict[int, Shard], job: Job) -> pa.Table:
    """A row for each change, in their order: that of its entry under another name, or with other metadata."""
    entries = np.array([change.entry for change in changes])
    numbers, rows = ledger.ints("shard")[entries], ledger.ints("row")[entries]
    order = np.argsort(numbers, kind="stable")
    parts = []
    for number in np.unique(numbers).tolist():
        mine = order[numbers[order] == number]
        # Only the rows that are wanted, since a batch holds thumbnails and vectors.
        parts.append(_rows(shards[number], rows[mine]).replace_schema_metadata(None))
    together = pa.concat_tables(parts, promote_options="default").take(np.argsort(order, kind="stable"))
    together = completed_table(together, dim=job.dim, feature_dim=job.feature_dim)
    facts = [orjson.loads(own or "{}") for own in together["facts"].to_pylist()]
    new = listed([c.item for c in changes], [c.id for c in changes], [c.state for c in changes], facts)
    return listed_again(together, new, dim=job.dim, feature_dim=job.feature_dim)


def _rows(shard: Shard, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    """These rows of a shard's file, in this order."""
    ascending, place = np.unique(rows, return_inverse=True)
    some = Shard(shard.number, shard.path, ascending)
    return pa.Table.from_batches(list(some.batches())).take(place)
