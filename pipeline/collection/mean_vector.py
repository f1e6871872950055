"""The mean vector of a collection: its inner product with a query's vector is the mean cosine of the items.

That is what an item has in common with the query for being of this collection, so that only what is above it says
something of the item.
"""

import numpy as np

from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.table import matrix

# Of more items a sample is enough: a mean of so many is known to a thousandth.
_ENOUGH = 20_000
_DIGITS = 4


def mean_vector(folder: ShardFolder) -> list[float]:
    """The mean [D] of the items' vectors, rounded; of a large collection by some of its shards, evenly chosen."""
    some = folder.shards[:: max(1, folder.rows // _ENOUGH)]
    total, count = np.zeros(folder.job.dim), 0
    for shard in some:
        total += matrix(shard.table(["vector"])["vector"]).sum(0, dtype=np.float64)
        count += shard.rows()
    return [round(x, _DIGITS) for x in (total / max(1, count)).tolist()]
