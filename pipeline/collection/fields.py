"""Document fields that need the whole collection: near-duplicate group and map position."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from lexel.pipeline.collection.near_duplicates import near_names
from lexel.pipeline.collection.tsne_map import load_or_make_map
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.shards.table import matrix

# Map positions are rounded to 1/10,000 of the map's side, less than an image drawn on it.
_DIGITS = 4


def near_of(folder: ShardFolder) -> pa.Array:
    """The near-duplicate group of each entry of a folder's ledger; null for an item that is alone."""
    ledger = folder.ledger
    # One of an older version, or of a job that has not ended, names no groups; several know nothing of each other.
    if not ledger.generation or ledger.joined:
        return near_names(ledger, folder.shards)
    return ledger.entries["near"].combine_chunks()


class CollectionFields:
    """Near-duplicate groups, as the ledger names them, and map of the items in a shard folder, batch by batch."""

    def __init__(self, folder: ShardFolder) -> None:
        ledger, near = folder.ledger, near_of(folder)
        live = np.flatnonzero(ledger.live)
        self._order = live[np.lexsort((ledger.ints("row")[live], ledger.ints("shard")[live]))]
        self._shards, self._near = ledger.ints("shard")[self._order], near
        self._map, self._blas = load_or_make_map(folder.path, folder.shards), ThreadpoolController()

    def batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, list[dict[str, Any]]]]:
        """The shard's rows batch by batch, and the fields `near` and `map` of each row."""
        first, last = np.searchsorted(self._shards, [shard.number, shard.number + 1])
        names = self._near.take(pa.array(self._order[first:last])).to_pylist()
        row = 0
        for batch in shard.batches(columns=columns):
            # On one BLAS thread: others would busy-wait on cores that OpenSearch may need.
            with self._blas.limit(limits=1):
                places = self._map.of(matrix(pa.chunked_array([batch.column("vector")])).astype(np.float32, copy=False))
            rounded = places.astype(np.float64).round(_DIGITS).tolist()
            mine = zip(batch.column("id").to_pylist(), names[row : row + batch.num_rows], rounded, strict=True)
            yield batch, [{"near": near or id_, "map": {"x": x, "y": y}} for id_, near, (x, y) in mine]
            row += batch.num_rows
