"""What an index holds against what the shards hold: counts, and which shards are not whole in it."""

import hashlib
from collections.abc import Sequence

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.shards.shard import Shard

# While a part of the index is away, an answer without it would be taken for documents that are missing.
_ALL_OF_IT = {"allow_partial_search_results": "false"}


def unfinished_shards(client: OpenSearch, target: str, there: Sequence[Shard]) -> list[Shard]:
    """The shards whose items are not all in the index; the index is its own record, which no crash makes wrong."""
    client.indices.refresh(index=target)
    found: dict[int, int] = {}
    numbers = [shard.number for shard in there]
    for start in range(0, len(numbers), 10_000):
        some = numbers[start : start + 10_000]
        by_shard = {"terms": {"field": "shard", "size": len(some)}}
        body = {
            "size": 0,
            "query": {"range": {"shard": {"gte": some[0], "lte": some[-1]}}},
            "aggs": {"shards": by_shard},
        }
        answer = client.search(index=target, body=body, params=_ALL_OF_IT)
        buckets = answer["aggregations"]["shards"]["buckets"]
        found |= {bucket["key"]: bucket["doc_count"] for bucket in buckets}
    return [shard for shard in there if found.get(shard.number, 0) != shard.rows()]


def count_distinct_ids(there: Sequence[Shard]) -> int:
    """How many different ids the shards hold, by a 64-bit hash of each: 9 bytes of memory an item."""
    batches = (batch for shard in there for batch in shard.batches(columns=["id"], size=8192))
    ids = (id_ for batch in batches for id_ in batch["id"].to_pylist())
    hashes = np.fromiter(map(_hash, ids), np.uint64, sum(shard.rows() for shard in there))
    hashes.sort()
    return len(hashes) and 1 + int(np.count_nonzero(hashes[1:] != hashes[:-1]))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def count_documents(client: OpenSearch, target: str) -> int:
    """How many documents `target` holds, all of its shards answering."""
    client.indices.refresh(index=target)
    found = client.search(index=target, body={"size": 0, "track_total_hits": True}, params=_ALL_OF_IT)
    return int(found["hits"]["total"]["value"])
