"""What a document says of its item that only the whole collection shows: its near-duplicates, its place on the map."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from lexel.pipeline.collection.near_duplicates import find_near_duplicates
from lexel.pipeline.collection.tsne_map import load_or_make_map
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.shards.table import matrix

# A ten thousandth of the map's side: pictures drawn on it are larger.
_DIGITS = 4


class CollectionFields:
    """The items of a folder's shards beside one another: looked through once, then asked batch by batch."""

    def __init__(self, folder: Path, there: Sequence[Shard]) -> None:
        self._near, self._map = find_near_duplicates(there), load_or_make_map(folder, there)
        ends = np.cumsum([shard.rows() for shard in there]).tolist()
        self._blas = ThreadpoolController()
        self._start = dict(zip((shard.number for shard in there), [0, *ends], strict=False))

    def batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, list[dict[str, Any]]]]:
        """The shard's rows batch by batch, and the fields `near` and `map` of each row."""
        row = self._start[shard.number]
        for batch in shard.batches(columns=columns):
            names = self._near.of(row, batch.column("id").to_pylist())
            # On one thread: more of them wait for each other by turning, and OpenSearch may need the same cores.
            with self._blas.limit(limits=1):
                places = self._map.of(matrix(pa.chunked_array([batch.column("vector")])).astype(np.float32, copy=False))
            rounded = places.astype(np.float64).round(_DIGITS).tolist()
            yield batch, [{"near": name, "map": {"x": x, "y": y}} for name, (x, y) in zip(names, rounded, strict=True)]
            row += batch.num_rows
