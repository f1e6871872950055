"""Document fields that need the whole collection: near-duplicate group and map position."""

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from lexel.pipeline.collection.near_duplicates import near_names
from lexel.pipeline.collection.tsne_map import load_or_make_map
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.ledger import Ints
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
    """Near-duplicate groups and map of the items in a shard folder."""

    def __init__(self, folder: ShardFolder) -> None:
        self._near, self._blas = near_of(folder), ThreadpoolController()
        self.map = load_or_make_map(folder.path, folder.shards)

    def near(self, entries: Ints) -> list[str | None]:
        """The group of each of these entries of the ledger; None for one that is alone."""
        found: list[str | None] = self._near.take(pa.array(entries)).to_pylist()
        return found

    def places(self, batch: pa.RecordBatch) -> list[dict[str, float]]:
        """The place on the map of each row."""
        # On one BLAS thread: others would busy-wait on cores that OpenSearch may need.
        with self._blas.limit(limits=1):
            places = self.map.of(matrix(pa.chunked_array([batch.column("vector")])).astype(np.float32, copy=False))
        return [{"x": x, "y": y} for x, y in places.astype(np.float64).round(_DIGITS).tolist()]
