"""Compares an index with the states that its documents should have: what is missing, another, or too much."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.load.documents.document_states import BUCKETS, DocumentStates
from lexel.pipeline.shards.ledger import Ints

# A partial response, while a shard of the index is unavailable, would look as if documents were missing.
COMPLETE = {"allow_partial_search_results": "false"}
# OpenSearch's limit for one page.
_PAGE = 10_000


@dataclass(frozen=True)
class Difference:
    """The places in the states of documents that the index lacks or has otherwise, and ids that it should not have."""

    missing: Ints
    surplus: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return bool(len(self.missing) or self.surplus)

    def without(self, ids: Collection[str], states: DocumentStates) -> "Difference":
        """All but the missing documents with these ids."""
        kept = np.array([states.ids[place] not in ids for place in self.missing.tolist()], bool)
        return Difference(self.missing[kept], self.surplus) if len(kept) else self


def difference(client: OpenSearch, index: str, states: DocumentStates) -> Difference:
    """Compare `index`, refreshed, with `states`. Documents are looked at only in ranges whose sums differ."""
    client.indices.refresh(index=index)
    ranges = _differing(client, index, states)
    missing, surplus = [np.zeros(0, np.int64)], list[str]()
    for some in _together(ranges, states):
        there = dict(_documents(client, index, some))
        mine = np.concatenate([_within(states, low, high) for low, high in some])
        wanted = {states.ids[place]: place for place in mine.tolist()}
        other = [place for id_, place in wanted.items() if there.get(id_) != states.checksum[place]]
        missing.append(np.array(other, np.int64))
        surplus += [id_ for id_ in there if id_ not in wanted]
    return Difference(np.concatenate(missing), tuple(surplus))


def _differing(client: OpenSearch, index: str, states: DocumentStates) -> list[tuple[int, int]]:
    """The ranges of buckets in which the number or the sum of checksums is another."""
    width = states.width
    sums = {"checksums": {"sum": {"field": "checksum"}}}
    ranges = {"histogram": {"field": "bucket", "interval": width, "min_doc_count": 1, "missing": 0}, "aggs": sums}
    body = {"size": 0, "aggs": {"ranges": ranges}}
    found = client.search(index=index, body=body, params=COMPLETE)["aggregations"]["ranges"]["buckets"]
    count = -(-BUCKETS // width)
    there = np.zeros((2, count), np.int64)
    for one in found:
        there[:, int(one["key"]) // width] = one["doc_count"], round(one["checksums"]["value"])
    place = states.bucket // width
    # Sums as OpenSearch makes them, in floating point: exact for what a range holds.
    wanted = np.stack([np.bincount(place, minlength=count), np.bincount(place, states.checksum, minlength=count)])
    differ = np.flatnonzero((there != np.round(wanted).astype(np.int64)).any(axis=0))
    return [(int(i) * width, min(BUCKETS, (int(i) + 1) * width)) for i in differ]


def _together(ranges: Sequence[tuple[int, int]], states: DocumentStates) -> Iterator[list[tuple[int, int]]]:
    """Ranges in groups that are asked for at once."""
    held, size = list[tuple[int, int]](), 0
    for one in ranges:
        count = len(_within(states, *one))
        if held and (size + count > _PAGE // 4 or len(held) >= 100):
            yield held
            held, size = [], 0
        held, size = [*held, one], size + count
    if held:
        yield held


def _within(states: DocumentStates, low: int, high: int) -> Ints:
    return np.flatnonzero((states.bucket >= low) & (states.bucket < high))


def _documents(client: OpenSearch, index: str, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int]]:
    """The ids and checksums of the documents in these ranges, page by page."""
    some: list[dict[str, Any]] = [{"range": {"bucket": {"gte": low, "lt": high}}} for low, high in ranges]
    if any(low == 0 for low, _ in ranges):  # where what lexel did not write is counted
        some.append({"bool": {"must_not": {"exists": {"field": "bucket"}}}})
    body: dict[str, Any] = {
        "size": _PAGE,
        "query": {"bool": {"filter": {"bool": {"should": some}}}},
        "_source": False,
        "docvalue_fields": ["checksum"],
        "sort": [{"bucket": "asc"}, {"checksum": "asc"}, {"id": "asc"}],
    }
    while True:
        hits = client.search(index=index, body=body, params=COMPLETE)["hits"]["hits"]
        yield from ((hit["_id"], hit.get("fields", {}).get("checksum", [-1])[0]) for hit in hits)
        if len(hits) < _PAGE:
            return
        body["search_after"] = hits[-1]["sort"]
