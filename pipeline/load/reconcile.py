"""Compares an index with the shards: numbers of documents, and shards that are not completely indexed."""

from collections.abc import Sequence

from opensearchpy import OpenSearch

from lexel.pipeline.load.documents.document_states import DocumentStates
from lexel.pipeline.load.live.index_states import COMPLETE
from lexel.pipeline.shards.shard import Shard


def unfinished_shards(client: OpenSearch, target: str, states: DocumentStates, shards: Sequence[Shard]) -> list[Shard]:
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
        answer = client.search(index=target, body=body, params=COMPLETE)
        buckets = answer["aggregations"]["shards"]["buckets"]
        found |= {bucket["key"]: bucket["doc_count"] for bucket in buckets}
    return [shard for shard in shards if found.get(shard.number, 0) != len(states.of(shard))]


def count_documents(client: OpenSearch, target: str) -> int:
    """The number of documents in the index `target`."""
    client.indices.refresh(index=target)
    found = client.search(index=target, body={"size": 0, "track_total_hits": True}, params=COMPLETE)
    return int(found["hits"]["total"]["value"])
