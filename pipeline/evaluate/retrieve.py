"""Runs every query of a direction on OpenSearch in one mode, in batches, and returns the ranked items of each."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.evaluate.queries.directions import Direction, Query
from lexel.pipeline.iterators import batched
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.query_dsl import Dsl, Mode

# query id -> item id -> score, best first; scores decrease strictly, so that every tool sorts them the same way.
Run = Mapping[str, Mapping[str, float]]
Hit = tuple[str, float]

_BATCH = 64
# Only what is read; the status keeps responses without hits in the list.
_WANTED = "responses.status,responses.error,responses.hits.hits.fields,responses.hits.hits._score"
# The id from doc values: reading the stored `_id` would decompress the whole source, which takes longer than the query.
_LEAN: Dsl = {"_source": False, "stored_fields": "_none_", "docvalue_fields": ["id"], "track_total_hits": False}


def retrieve(
    client: OpenSearch,
    index: str,
    direction: Direction,
    mode: Mode,
    *,
    weight: float,
    depth: int,
    progress: Progress = QUIET,
) -> Run:
    """The `depth` best items of each query; `weight` is the vector weight in mode "hybrid".

    Raises ClusterError if OpenSearch refuses a query.
    """
    run: dict[str, Mapping[str, float]] = {}
    progress.plan(total=len(direction.queries), done=0)
    for batch in batched(direction.queries, _BATCH):
        # One more, since a query that is an item itself is found too.
        bodies = [body(query, mode, weight=weight, k=depth + direction.alone) for query in batch]
        for query, hits in zip(batch, _answers(client, index, bodies), strict=True):
            others = [hit for hit in hits if not (direction.alone and hit[0] == query.id)]
            run[query.id] = to_run(query.id, others[:depth])
        progress.advance(encoded=len(batch), failed=0)
    return run


def body(query: Query, mode: Mode, *, weight: float, k: int) -> Dsl:
    """The request body for `query`: that of a search in this mode, but returning only ids.

    An image has no text to match, and OpenSearch's analyzer no weights for nearest terms, so mode "words" searches that
    field for weighted terms then.
    """
    match mode:
        case "terms":
            found = query_dsl.terms(query.terms, k=k)
        case "words" if query.text is not None and not query.near:
            found = query_dsl.words(query.text, k=k)
        case "words":
            found = query_dsl.weighted_words(query.terms, k=k)
        case "vector":
            found = query_dsl.vector(query.vector.tolist(), k=k)
        case "hybrid":
            found = query_dsl.hybrid(query.terms, vector=query.vector.tolist(), weight=weight, k=k)
    return found | _LEAN


def _answers(client: OpenSearch, index: str, bodies: Sequence[Dsl]) -> Iterator[list[Hit]]:
    lines = [line for one in bodies for line in ({}, one)]
    with readable_errors():
        found: dict[str, Any] = client.msearch(body=lines, index=index, params={"filter_path": _WANTED})
    for answer in found["responses"]:
        if "error" in answer:
            cause = answer["error"].get("root_cause") or [answer["error"]]
            raise ClusterError(f"OpenSearch refused a query ({answer['status']}): {cause[0].get('reason')}.")
        yield [(hit["fields"]["id"][0], hit["_score"]) for hit in answer.get("hits", {}).get("hits", [])]


def to_run(query: str, hits: Sequence[Hit]) -> dict[str, float]:
    """Hits as item id -> score, strictly decreasing; ties are ordered by a hash of query and item id.

    OpenSearch breaks ties by the order of indexing, which is not random with respect to relevance and can differ
    between runs. Tied scores are lowered by the smallest steps of float32, the precision of trec_eval.
    """
    tied = (list(same) for _, same in groupby(hits, key=lambda hit: hit[1]))
    settled = [hit for same in tied for hit in (same if len(same) == 1 else sorted(same, key=lambda h: _lot(query, h)))]
    return dict(zip((id_ for id_, _ in settled), break_ties([score for _, score in settled]), strict=True))


def break_ties(scores: Sequence[float]) -> list[float]:
    """Non-increasing scores >= 0 as the nearest float32 values that decrease strictly."""
    bits = np.asarray(scores, np.float32).view(np.int32).astype(np.int64)  # floats >= 0 are ordered like their bits
    steps = np.arange(len(bits))
    fallen = np.minimum.accumulate(bits + steps) - steps if len(bits) else bits
    found: list[float] = np.maximum(fallen, 0).astype(np.int32).view(np.float32).tolist()
    return found


def _lot(query: str, hit: Hit) -> bytes:
    return hashlib.blake2b(f"{query}\0{hit[0]}".encode(), digest_size=8).digest()
