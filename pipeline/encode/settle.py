"""The ledger after a run: what was known, and what was written, found gone, or found the same."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lexel.pipeline.collection.near_duplicates import near_names
from lexel.pipeline.encode.known import KnownShards
from lexel.pipeline.encode.shard_writer import ShardWriter
from lexel.pipeline.encode.survey import Survey
from lexel.pipeline.shards.ledger import Ints, Ledger, Status, joined
from lexel.pipeline.shards.shard import UNREADABLE

# A file that was changed so many nanoseconds before it was read may change again without another time of change.
_RACY = 2 * 10**9


def settled(found: Survey, known: KnownShards, written: ShardWriter, began: int) -> Ledger:
    """The ledger after a run that began to read files at `began`, in nanoseconds."""
    entries, unread = _without_unread(joined(written.entries), known.ledger)
    ledger = _looked_at(found, known.ledger, unread)
    gone = found.gone
    status = np.where(gone, int(Status.DEAD), ledger.status).astype(np.int8)
    ledger = ledger.with_column("status", status).where(~(gone & (known.ledger.status == Status.FAILED)))
    ledger = replace(ledger.with_entries(entries, written.listings), generation=written.generation)
    changed = ledger.ints("changed")
    changed[changed > began - _RACY] = -1
    ledger = ledger.with_column("changed", changed)
    return ledger.with_column("near", near_names(ledger, [*known.shards.values(), *written.shards()]))


def _looked_at(found: Survey, ledger: Ledger, unread: Ints) -> Ledger:
    """The ledger with the states of files that are another one and have the same bytes."""
    size, changed, touched = ledger.ints("size"), ledger.ints("changed"), found.comparison.touched
    for entry, (state, _) in touched.items():
        size[entry], changed[entry] = state or (-1, -1)
    changed[unread] = -1
    ledger = ledger.with_column("size", size).with_column("changed", changed)
    if not touched:
        return ledger
    content = ledger.entries["content"].to_pylist()
    for entry, (_, digest) in touched.items():
        content[entry] = digest
    return ledger.with_column("content", content)


def _without_unread(entries: pa.Table, ledger: Ledger) -> tuple[pa.Table, Ints]:
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
    return entries.filter(pa.array(~known)), live[pc.is_in(keys, value_set=some).to_numpy()]
