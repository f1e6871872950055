"""Document fields that need the whole collection: near-duplicate group and map position."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from lexel.pipeline.collection.near_duplicates import find_near_duplicates
from lexel.pipeline.collection.tsne_map import load_or_make_map
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.shards.table import matrix

# Map positions are rounded to 1/10,000 of the map's side, less than an image drawn on it.
_DIGITS = 4


class CollectionFields:
    """Near-duplicate groups and map of the items in a shard folder, computed once and then read batch by batch."""

    def __init__(self, folder: ShardFolder) -> None:
        shards = folder.shards
        self._near, self._map = find_near_duplicates(shards), load_or_make_map(folder.path, shards)
        ends = np.cumsum([shard.rows() for shard in shards]).tolist()
        self._blas = ThreadpoolController()
        self._start = dict(zip((shard.number for shard in shards), [0, *ends], strict=False))

    def batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, list[dict[str, Any]]]]:
        """The shard's rows batch by batch, and the fields `near` and `map` of each row."""
        row = self._start[shard.number]
        for batch in shard.batches(columns=columns):
            names = self._near.of(row, batch.column("id").to_pylist())
            # On one BLAS thread: others would busy-wait on cores that OpenSearch may need.
            with self._blas.limit(limits=1):
                places = self._map.of(matrix(pa.chunked_array([batch.column("vector")])).astype(np.float32, copy=False))
            rounded = places.astype(np.float64).round(_DIGITS).tolist()
            yield batch, [{"near": name, "map": {"x": x, "y": y}} for name, (x, y) in zip(names, rounded, strict=True)]
            row += batch.num_rows
