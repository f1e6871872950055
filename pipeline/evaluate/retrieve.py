"""The node ranks: every query of a direction in one mode, in batches, as the ranked items of each."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.evaluate.directions import Direction, Query
from lexel.pipeline.iterators import batched
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.query_dsl import Dsl, Mode

# The ranked items of each query, best first, with scores that fall strictly, so that any tool sorts them the same way.
Run = Mapping[str, Mapping[str, float]]
Hit = tuple[str, float]

_BATCH = 64
# Only what is read; the status keeps an answer without hits from being left out of the list.
_WANTED = "responses.status,responses.error,responses.hits.hits.fields,responses.hits.hits._score"
# An id from the columns: reading each hit's stored `_id` would unpack its whole source, and take longer than the query.
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
    """The `depth` best items of each query; `weight` is the vector's in `hybrid`.

    Raises ClusterError where the node refuses.
    """
    run: dict[str, Mapping[str, float]] = {}
    progress.plan(total=len(direction.queries), done=0)
    for batch in batched(direction.queries, _BATCH):
        # A query that is an item itself comes back too, nearly always first.
        bodies = [body(query, mode, weight=weight, k=depth + direction.alone) for query in batch]
        for query, hits in zip(batch, _answers(client, index, bodies), strict=True):
            others = [hit for hit in hits if not (direction.alone and hit[0] == query.id)]
            run[query.id] = to_run(query.id, others[:depth])
        progress.advance(encoded=len(batch), failed=0)
    return run


def body(query: Query, mode: Mode, *, weight: float, k: int) -> Dsl:
    """What is sent for `query`: what a search in this mode sends, but for the parts that only people read.

    A picture has no text to match, so its `words` are its weighted terms, asked of that field.
    """
    match mode:
        case "terms":
            found = query_dsl.terms(query.terms, k=k)
        case "words" if query.text is not None:
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
    """Hits in order, with scores that fall strictly: of equal ones, a lot drawn from the ids decides.

    The node lets the item go first that was indexed first, which can be the right one more often than chance has it, or
    another one in the next run. Each later one of equal scores is put down by the least that single precision, which
    trec_eval reads, can tell.
    """
    tied = (list(same) for _, same in groupby(hits, key=lambda hit: hit[1]))
    settled = [hit for same in tied for hit in (same if len(same) == 1 else sorted(same, key=lambda h: _lot(query, h)))]
    return dict(zip((id_ for id_, _ in settled), break_ties([score for _, score in settled]), strict=True))


def break_ties(scores: Sequence[float]) -> list[float]:
    """Scores >= 0 that never rise, as the nearest single-precision numbers that fall at each step."""
    bits = np.asarray(scores, np.float32).view(np.int32).astype(np.int64)  # of floats >= 0, in the same order as they
    steps = np.arange(len(bits))
    fallen = np.minimum.accumulate(bits + steps) - steps if len(bits) else bits
    found: list[float] = np.maximum(fallen, 0).astype(np.int32).view(np.float32).tolist()
    return found


def _lot(query: str, hit: Hit) -> bytes:
    return hashlib.blake2b(f"{query}\0{hit[0]}".encode(), digest_size=8).digest()
