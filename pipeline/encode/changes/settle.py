"""The ledger after a run: what was known, and what was written, found gone, or found the same."""

from dataclasses import replace

import numpy as np

from lexel.pipeline.collection.near_duplicates import near_names
from lexel.pipeline.encode.changes.known import KnownShards, without_unread
from lexel.pipeline.encode.changes.survey import Survey
from lexel.pipeline.encode.shard_writer import ShardWriter
from lexel.pipeline.shards.ledger import EntryStatus, Ints, Ledger, joined


def settled(found: Survey, known: KnownShards, written: ShardWriter) -> Ledger:
    """The ledger after a run."""
    entries, unread = without_unread(joined(written.taken()), known.ledger)
    ledger = _looked_at(found, known.ledger, unread)
    gone = found.gone
    status = np.where(gone, int(EntryStatus.DEAD), ledger.status).astype(np.int8)
    ledger = ledger.with_column("status", status).where(~(gone & (known.ledger.status == EntryStatus.FAILED)))
    ledger = replace(ledger.with_entries(entries, written.listings), generation=written.generation, joined=False)
    changed = ledger.ints("changed")
    changed[found.comparison.is_racy(changed)] = -1
    ledger = ledger.with_column("changed", changed)
    return ledger.with_column("near", near_names(ledger, [*known.shards.values(), *written.shards()]))


def _looked_at(found: Survey, ledger: Ledger, unread: Ints) -> Ledger:
    """The ledger with the states of files that are another one and have the same bytes."""
    size, changed, touched = ledger.ints("size"), ledger.ints("changed"), found.comparison.touched
    for entry, (state, _) in touched.items():
        size[entry], changed[entry] = state or (-1, -1)
    ledger = ledger.with_column("size", size).with_column("changed", changed).with_unknown_state(unread)
    if not touched:
        return ledger
    content = ledger.entries["content"].to_pylist()
    for entry, (_, digest) in touched.items():
        content[entry] = digest
    return ledger.with_column("content", content)
