"""Searches: what the client adds, how exact and how fast hybrid is, many documents, and peers."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from opensearchpy import OpenSearch

from bench.figure import Figure, beside
from bench.node import Bare, own_node, seconds
from bench.parts import peers
from bench.parts.crowd import Batch, Crowd
from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.engine import node_control
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Dsl, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index

_K, _QUERIES = 10, 200
# What two cores load in a few minutes; `million` searches more.
_MANY, _DIM = 300_000, 32
# The vector's part then varies 2.8 times as much as the terms', as with photographs (see `Crowd`).
_WEIGHT = 15.0
# Until Java has compiled what every query goes through.
_WARM = 5

Ids = list[str]


def run(quick: bool) -> Iterator[Figure]:
    with TemporaryDirectory(prefix="lexel-bench-") as name:
        place, encoder = Path(name), open_encoder("lexel-tiny")
        crowd = Crowd(500 if quick else 100_000, dim=load_model(encoder).dim, encoder=encoder)
        asked = crowd.queries(20 if quick else _QUERIES)
        with own_node(heap="2g") as (node, client):
            yield from _client(node, client, place, crowd, asked)
            _remove_folder(place / "hundred")
            yield from many(node, client, place, count=1_000 if quick else _MANY)
        yield from peers.beside(crowd, asked, place=place, quick=quick)


def _client(node: node_control.Node, client: OpenSearch, place: Path, crowd: Crowd, asked: Batch) -> Iterator[Figure]:
    """`lexel.pipeline.search.run` beside the same bodies sent bare, in turns; and hybrid beside brute force."""
    load_shards(crowd.write(place / "hundred"), index="hundred", client=client)
    _settle(client, "hundred")  # the merge that a load begins may go on after it
    texts = [" ".join(crowd.words[rank] for rank in ranks) for ranks in asked.ranks.tolist()]
    index, bare, told = SearchIndex(client, "hundred"), Bare(node), f"at {crowd.count:,} documents of {crowd.dim}-d"
    asks = {mode: [SearchRequest(text, mode=mode, k=_K) for text in texts] for mode in MODES}
    # And the texts' vectors are known from here on.
    bodies = {mode: [search_index(index, ask).body for ask in asks[mode]] for mode in MODES}
    for body in [body for some in bodies.values() for body in some] * _WARM:
        bare.search("hundred", orjson.dumps(body))
    for mode in MODES:
        ours, raw = _in_turns(
            [lambda ask=ask: search_index(index, ask) for ask in asks[mode]],
            [_asker(bare, "hundred", body) for body in bodies[mode]],
        )
        own, ceiling = median(ours) * 1e3, median(raw) * 1e3
        note = f"{told}, beside the same body by bare HTTP, in turns; a text's vector is known already"
        yield Figure(f"{mode}, by the client, p50", own, "ms", ceiling, own / ceiling, "<= 1.2", note)
        note = f"{told}, bare, beside p50"
        yield beside(f"{mode}, p99", _p99(raw), "ms", ceiling=ceiling, wanted="<= 2.5", note=note)
    # With the items' kind of vectors, which know of the words; those that an encoder makes of random words do not.
    fused = [_body(crowd, asked, i, "hybrid") for i in range(len(asked.ranks))]
    share = _overlap(crowd, bare, "hundred", fused)
    yield Figure("hybrid is the exact sum", share, "of ten", wanted=">= 0.99", note=f"{told}, by brute force")
    client.indices.delete(index="hundred-*")


def many(node: node_control.Node, client: OpenSearch, place: Path, *, count: int) -> Iterator[Figure]:
    """`count` documents, all four views."""
    crowd = Crowd(count, dim=_DIM)
    folder = crowd.write(place / "many")
    took = seconds(
        lambda: load_shards(
            folder, index="many", client=client, options=LoadOptions(collection_fields=False, templates=False)
        )
    )
    told = f"at {count:,} documents of {crowd.terms} terms and {crowd.dim}-d, loaded in {took:.0f} s"
    _settle(client, "many")
    asked, bare = crowd.queries(min(count // 50, _QUERIES)), Bare(node)
    for mode in MODES:
        bodies = [_body(crowd, asked, i, mode) for i in range(len(asked.ranks))]
        took_each = _each([_asker(bare, "many", body) for body in bodies])
        yield Figure(f"{count:,}: {mode}, p50", median(took_each) * 1e3, "ms", note=told)
        yield Figure(f"{count:,}: {mode}, p99", _p99(took_each), "ms", note=told)


def _body(crowd: Crowd, asked: Batch, i: int, mode: Mode) -> Dsl:
    words = [crowd.words[rank] for rank in asked.ranks[i]]
    weights, vector = dict.fromkeys(words, 1.0), asked.vectors[i].tolist()
    match mode:
        case "terms":
            return query_dsl.terms(weights, k=_K)
        case "words":
            return query_dsl.words(" ".join(words), k=_K)
        case "vector":
            return query_dsl.vector(vector, k=_K)
        case "hybrid":
            return query_dsl.hybrid(weights, vector=vector, weight=_WEIGHT, k=_K)


def _overlap(crowd: Crowd, bare: Bare, index: str, bodies: Sequence[Dsl]) -> float:
    """The share of the ten best by brute force that the engine's ten hold."""
    wanted = [_asked(crowd, body) for body in bodies]
    best = exact(crowd, wanted, k=_K)
    found = [_ids(bare, index, body) for body in bodies]
    return float(np.mean([len(set(ids) & set(true)) / len(true) for ids, true in zip(found, best, strict=True)]))


def _asked(crowd: Crowd, body: Dsl) -> tuple[dict[int, float], npt.NDArray[np.float32], float]:
    """The terms, the vector and its weight that a hybrid query asks for."""
    fused = body["rescore"]["query"]["rescore_query"]["script_score"]
    clauses = [one["rank_feature"] for one in fused["query"]["bool"]["should"] if "rank_feature" in one]
    weights = {crowd.words.index(one["field"].removeprefix("terms.")): one.get("boost", 1.0) for one in clauses}
    given = fused["script"]["params"]
    return weights, np.array(given["vector"], np.float32), given["weight"]


def exact(
    crowd: Crowd, wanted: Sequence[tuple[dict[int, float], npt.NDArray[np.float32], float]], *, k: int
) -> list[Ids]:
    """The ids with the highest sums of terms + weight x cosine, by looking at each document."""
    size = len(crowd.words)
    asked = np.zeros((size, len(wanted)), np.float32)
    for column, (weights, _, _) in enumerate(wanted):
        asked[list(weights), column] = list(weights.values())
    vectors = np.stack([vector for _, vector, _ in wanted], axis=1)
    factors = np.array([weight for *_, weight in wanted], np.float32)
    scores, ids = np.zeros((0, len(wanted)), np.float32), np.zeros(0, np.int64)
    for batch in crowd.batches():
        # One rank of every item at a time: a matrix of items x words would be far larger.
        sums = factors * (batch.vectors @ vectors)
        for place in range(crowd.terms):
            sums += batch.weights[:, place, None] * asked[batch.ranks[:, place]]
        scores = np.concatenate([scores, sums])
        ids = np.concatenate([ids, batch.first + np.arange(len(sums))])
    best = np.argsort(-scores, axis=0, kind="stable")[:k].T
    return [[f"{ids[i]:09d}" for i in row] for row in best]


def _asker(bare: Bare, index: str, body: Dsl) -> Callable[[], Any]:
    content = orjson.dumps(body)
    return lambda: bare.search(index, content)


def _ids(bare: Bare, index: str, body: Dsl) -> Ids:
    return [hit["_id"] for hit in bare.search(index, orjson.dumps(body))]


def _in_turns(*sides: Sequence[Callable[[], Any]]) -> tuple[list[float], ...]:
    """How long each of each side takes; the sides take turns, so that what else the machine does meets all alike."""
    times: tuple[list[float], ...] = tuple([] for _ in sides)
    for _ in range(2):
        for works in zip(*sides, strict=True):
            for work, found in zip(works, times, strict=True):
                found.append(seconds(work))
    return tuple(found[len(found) // 2 :] for found in times)  # without the first round, in which all warms up


def _each(works: Sequence[Callable[[], Any]]) -> list[float]:
    return _in_turns(works)[0]


def _p99(times: Sequence[float]) -> float:
    return float(np.percentile(times, 99)) * 1e3


def _settle(client: OpenSearch, index: str) -> None:
    """Until the node has nothing left to do but to answer."""
    client.indices.refresh(index=index)
    for _ in range(240):
        merges = client.indices.stats(index=index, metric="merge")["_all"]["total"]["merges"]["current"]
        if not merges:
            break
        time.sleep(1)
    client.indices.refresh(index=index)


def _remove_folder(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
