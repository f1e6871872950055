"""`lexel load` beside bulk bodies that are ready and sent by a bare HTTP client over two connections; two loaders."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson
from opensearchpy import OpenSearch, helpers

from bench.figure import Figure, beside
from bench.node import own_node, seconds, send
from bench.parts.crowd import Crowd
from lexel.mappings import index_body
from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.load import bulk
from lexel.pipeline.load.documents.row_documents import COLUMNS, documents
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.part import Part

_COUNT, _ROUNDS, _LOADERS = 20_000, 3, 2
_METADATA = {"place": "keyword", "stars": "long"}


def run(quick: bool) -> Iterator[Figure]:
    crowd = Crowd(300 if quick else _COUNT, dim=16 if quick else 512, shard_size=1_000)
    with own_node(heap="1g") as (node, client), TemporaryDirectory(prefix="lexel-bench-") as place:
        folder = crowd.write(Path(place) / "shards")
        bodies = list(_bodies(folder))
        # The first are slower: Java is still compiling itself.
        _raw(node, client, crowd, bodies)
        raw, first, again = list[float](), _ours(client, folder), list[float]()
        for _ in range(1 if quick else _ROUNDS):
            raw.append(_raw(node, client, crowd, bodies))
            again.append(_ours(client, folder))
        library = _library(client, crowd, folder)
        one, two = _loaders(node, client, folder, rounds=1 if quick else _ROUNDS)
    told = f"{crowd.count:,} documents of {crowd.terms} terms and {crowd.dim}-d, each until it can be searched for"
    for name, took, wanted, note in (
        ("lexel load", median(again), ">= 0.9", f"{told}; the map there, as `lexel encode` leaves it"),
        ("lexel load of shards without a map", first, None, "it is made first; the node is less warm"),
        ("opensearch-py's streaming_bulk", library, None, "by its defaults, the same documents ready: one connection"),
    ):
        ceiling = crowd.count / median(raw)
        yield beside(name, crowd.count / took, "documents/s", ceiling=ceiling, wanted=wanted, note=note)
    note = "lexel load --part 1/2 and 2/2 at once, beside one loader of all; the node has the same cores as they"
    yield beside("two loaders", crowd.count / two, "documents/s", ceiling=crowd.count / one, note=note)


def _ours(client: OpenSearch, folder: Path) -> float:
    took = seconds(lambda: load_shards(folder, index="ours", client=client))
    _remove(client, "ours-*")
    return took


def _loaders(node: node_control.Node, client: OpenSearch, folder: Path, *, rounds: int) -> tuple[float, float]:
    """The seconds of one loader, and of several that have a part each, in processes that are there already."""
    took: dict[int, list[float]] = {1: [], _LOADERS: []}
    with ProcessPoolExecutor(_LOADERS, mp_context=get_context("spawn")) as pool:
        _parts(pool, node, folder, _LOADERS)  # imports, and a connection
        _remove(client, "parts-*")
        for _ in range(rounds):
            for count, times in took.items():
                times.append(seconds(lambda count=count: _parts(pool, node, folder, count)))  # type: ignore[misc]
                _remove(client, "parts-*")
    return median(took[1]), median(took[_LOADERS])


def _parts(pool: Executor, node: node_control.Node, folder: Path, count: int) -> None:
    found = list(pool.map(_load_part, [folder] * count, [node.url] * count, range(count), [count] * count))
    assert min(found) == 0, "none of the loaders found the index whole"


def _load_part(folder: Path, url: str, index: int, of: int) -> int:
    """Load a part; returns the number of documents that it found missing in the end."""
    client = connect(Address(url), timeout=600)
    return load_shards(folder, index="parts", client=client, part=Part(index, of)).missing


def _raw(node: node_control.Node, client: OpenSearch, crowd: Crowd, bodies: list[bytes]) -> float:
    _create(client, crowd, "raw")
    took = seconds(lambda: send(node, "raw", bodies)) + seconds(lambda: client.indices.refresh(index="raw"))
    _remove(client, "raw")
    return took


def _library(client: OpenSearch, crowd: Crowd, folder: Path) -> float:
    _create(client, crowd, "library")
    ready = [{"_index": "library", "_id": id_, "_source": document.decode()} for id_, document in _documents(folder)]

    def work() -> None:
        for _ in helpers.streaming_bulk(client, ready):
            pass
        client.indices.refresh(index="library")

    took = seconds(work)
    _remove(client, "library")
    return took


def _create(client: OpenSearch, crowd: Crowd, name: str) -> None:
    vocabulary = crowd.vocabulary
    body = index_body(
        dim=crowd.dim,
        terms=vocabulary.terms,
        forms=vocabulary.forms,
        engine="lucene",
        shards=1,
        metadata=_METADATA,
        about={},
    )
    client.indices.create(index=name, body=body)


def _remove(client: OpenSearch, pattern: str) -> None:
    for name in client.indices.get(index=pattern):
        client.indices.delete(index=name)


def _documents(folder: Path) -> Iterator[bulk.Document]:
    """As `lexel load` makes them, with the fields `near` and `map`."""
    for shard in finished_shards(folder):
        for batch in shard.batches(columns=COLUMNS):
            fields = [{"near": id_, "map": {"x": 0.1234, "y": 0.1234}} for id_ in batch.column("id").to_pylist()]
            yield from documents(batch, shard=shard.number, fields=fields)


def _bodies(folder: Path) -> Iterator[bytes]:
    lines, size = list[bytes](), 0
    for id_, document in _documents(folder):
        lines += [b'{"index":{"_id":%b}}\n' % orjson.dumps(id_), document, b"\n"]
        size += len(document)
        if size > bulk.MAX_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines)
