"""Compares an index with the shards: numbers of documents, and shards that are not completely indexed."""

import hashlib
from collections.abc import Sequence

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.shards.shard import Shard

# A partial response, while a shard of the index is unavailable, would look as if documents were missing.
_COMPLETE = {"allow_partial_search_results": "false"}


def unfinished_shards(client: OpenSearch, target: str, shards: Sequence[Shard]) -> list[Shard]:
    """The shards of which the index does not have all items, by its own counts, so that no other record is needed."""
    client.indices.refresh(index=target)
    found: dict[int, int] = {}
    numbers = [shard.number for shard in shards]
    for start in range(0, len(numbers), 10_000):
        some = numbers[start : start + 10_000]
        by_shard = {"terms": {"field": "shard", "size": len(some)}}
        body = {
            "size": 0,
            "query": {"range": {"shard": {"gte": some[0], "lte": some[-1]}}},
            "aggs": {"shards": by_shard},
        }
        answer = client.search(index=target, body=body, params=_COMPLETE)
        buckets = answer["aggregations"]["shards"]["buckets"]
        found |= {bucket["key"]: bucket["doc_count"] for bucket in buckets}
    return [shard for shard in shards if found.get(shard.number, 0) != shard.rows()]


def count_distinct_ids(shards: Sequence[Shard]) -> int:
    """The number of distinct ids in the shards, by their 64-bit hashes; needs 9 bytes of memory per item."""
    batches = (batch for shard in shards for batch in shard.batches(columns=["id"], size=8192))
    ids = (id_ for batch in batches for id_ in batch["id"].to_pylist())
    hashes = np.fromiter(map(_hash, ids), np.uint64, sum(shard.rows() for shard in shards))
    hashes.sort()
    return len(hashes) and 1 + int(np.count_nonzero(hashes[1:] != hashes[:-1]))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def count_documents(client: OpenSearch, target: str) -> int:
    """The number of documents in the index `target`."""
    client.indices.refresh(index=target)
    found = client.search(index=target, body={"size": 0, "track_total_hits": True}, params=_COMPLETE)
    return int(found["hits"]["total"]["value"])
