"""Shards to OpenSearch: a new index behind an alias, swapped in when its count is right. A repeated command goes on."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders.vocabulary import Vocabulary
from lexel.mappings import index_body
from lexel.pipeline import bulk, shards
from lexel.pipeline.bulk import Rejected
from lexel.pipeline.cluster import in_words
from lexel.pipeline.documents import COLUMNS, documents, field_types
from lexel.pipeline.errors import ClusterError, ConfigError, ShardError
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards import Job, Shard

ENGINES = ("lucene", "faiss")
# The embedded node says so by this attribute; it has no native libraries, and a faiss field would end it.
_EMBEDDED = ("lexel", "embedded")


@dataclass(frozen=True)
class Loaded:
    """What a load found and did."""

    index: str  # the concrete index behind the alias
    documents: int
    sent: int  # in this run
    rejected: int


def load(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    shard_count: int = 1,
    replicas: int = 0,
    engine: str = "lucene",
    connections: int = 2,
    progress: Progress = QUIET,
) -> Loaded:
    """Make `index` hold exactly the items in `folder`; until the last one is in, searches see what it held before.

    Raises ShardError for a folder without shards, ClusterError where OpenSearch refuses. Documents that it rejects are
    kept in `folder`/rejected-INDEX.jsonl, and the index is then not swapped in.
    """
    job, there = shards.read_job(folder), shards.shards(folder)
    if not there:
        raise ShardError(f"{folder} holds no finished shards yet: give its `lexel encode` command again.")
    _check(index, engine, client)
    with in_words():
        target = f"{index}-{_identity(job, there, engine, shard_count)}"
        _create(client, target, folder, job, there, engine, shard_count)
        todo = _unfinished(client, target, there)
        total = sum(shard.rows() for shard in there)
        progress.plan(total=total, done=total - sum(shard.rows() for shard in todo))
        sent, rejected = _send(client, target, todo, connections, progress)
        _keep_rejected(folder / f"rejected-{index}.jsonl", rejected)
        expected = _distinct(there)
        count = _count(client, target)
        if rejected or count != expected:
            raise ClusterError(_shortfall(folder, index, count, expected, rejected))
        _open(client, index, target, replicas)
    return Loaded(target, count, sent, len(rejected))


def _check(index: str, engine: str, client: OpenSearch) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,199}", index):
        raise ConfigError(
            f"An index cannot be called {index!r}: use small letters, digits, '-' and '_', "
            "and begin with a letter or digit."
        )
    if engine not in ENGINES:
        raise ConfigError(f"There is no k-NN engine {engine!r}; choose {' or '.join(ENGINES)}.")
    with in_words():
        if client.indices.exists(index=index) and not client.indices.exists_alias(name=index):
            raise ClusterError(f"{index} is an index of its own, not an alias that lexel made; choose another name.")
        if engine == "faiss" and _is_embedded(client):
            raise ClusterError(
                "The embedded OpenSearch has no faiss; leave --engine at lucene, or use a full distribution."
            )


def _is_embedded(client: OpenSearch) -> bool:
    nodes = client.nodes.info(metric="settings")["nodes"].values()
    return any(node.get("attributes", {}).get(_EMBEDDED[0]) == _EMBEDDED[1] for node in nodes)


def _identity(job: Job, there: list[Shard], engine: str, shard_count: int) -> str:
    """8 digits that the same load always has and another never: how a broken load finds its index again."""
    content = [(shard.number, shard.listing(), shard.rows()) for shard in there]
    about = json.dumps([asdict(job), content, engine, shard_count], sort_keys=True)
    return hashlib.blake2b(about.encode(), digest_size=4).hexdigest()


def _create(
    client: OpenSearch, target: str, folder: Path, job: Job, there: list[Shard], engine: str, shard_count: int
) -> None:
    if client.indices.exists(index=target):
        return
    vocabulary = Vocabulary.load(folder / "vocabulary.json")
    if vocabulary.hash != job.vocabulary:
        raise ShardError(
            f"{folder / 'vocabulary.json'} was changed after encoding; its shards and words no longer fit together."
        )
    metadata = field_types(batch for shard in there for batch in shard.batches(columns=["metadata"], size=4096))
    body = index_body(
        dim=job.dim,
        terms=vocabulary.terms,
        forms=vocabulary.forms,
        engine=engine,
        shards=shard_count,
        metadata=metadata,
        about={"lexel": _about(job)},
    )
    try:
        client.indices.create(index=target, body=body)
    except errors.RequestError as error:
        if error.error != "resource_already_exists_exception":  # another process has just begun the same load
            raise


def _about(job: Job) -> dict[str, Any]:
    """What a search needs to know: which encoder, and where the files are."""
    names = ("encoder", "name", "fingerprint", "vocabulary", "vector_weight", "root", "captions")
    return {name: value for name, value in asdict(job).items() if name in names}


def _unfinished(client: OpenSearch, target: str, there: list[Shard]) -> list[Shard]:
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
        buckets = client.search(index=target, body=body)["aggregations"]["shards"]["buckets"]
        found |= {bucket["key"]: bucket["doc_count"] for bucket in buckets}
    return [shard for shard in there if found.get(shard.number, 0) != shard.rows()]


def _send(
    client: OpenSearch, target: str, todo: list[Shard], connections: int, progress: Progress
) -> tuple[int, list[Rejected]]:
    sent, rejected = 0, list[Rejected]()
    for outcome in bulk.send(client, target, _documents(todo), connections=connections):
        sent += outcome.accepted
        rejected += outcome.rejected
        progress.advance(encoded=outcome.accepted, failed=len(outcome.rejected))
    return sent, rejected


def _documents(todo: list[Shard]) -> Iterator[bulk.Document]:
    for shard in todo:
        for batch in shard.batches(columns=COLUMNS):
            yield from documents(batch, shard=shard.number)


def _distinct(there: list[Shard]) -> int:
    """How many different ids the shards hold, by a 64-bit hash of each: 8 bytes of memory an item."""
    hashes = [
        np.fromiter((_hash(id_) for id_ in batch.column("id").to_pylist()), dtype=np.uint64)
        for shard in there
        for batch in shard.batches(columns=["id"], size=8192)
    ]
    return len(np.unique(np.concatenate(hashes))) if hashes else 0


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _count(client: OpenSearch, target: str) -> int:
    client.indices.refresh(index=target)
    return int(client.count(index=target)["count"])


def _keep_rejected(path: Path, rejected: list[Rejected]) -> None:
    if not rejected:
        path.unlink(missing_ok=True)
        return
    lines = [orjson.dumps({"id": r.id, "reason": r.reason, "document": r.document.decode()}) for r in rejected]
    shards.write_atomically(path, b"\n".join(lines) + b"\n")


def _shortfall(folder: Path, index: str, count: int, expected: int, rejected: list[Rejected]) -> str:
    if rejected:
        return (
            f"OpenSearch rejected {len(rejected)} of {expected} documents ({rejected[0].reason}); "
            f"they are in {folder / f'rejected-{index}.jsonl'}, and {index} still shows what it held before."
        )
    return (
        f"OpenSearch holds {count} documents and should hold {expected}, so {index} was left as it was; "
        "give the same command again."
    )


def _open(client: OpenSearch, index: str, target: str, replicas: int) -> None:
    """Make the index ready to be searched, and let the alias mean it and nothing else."""
    client.indices.put_settings(
        index=target, body={"index": {"refresh_interval": None, "number_of_replicas": replicas}}
    )
    before = list(client.indices.get_alias(name=index)) if client.indices.exists_alias(name=index) else []
    old = [name for name in before if name != target]
    actions = [{"add": {"index": target, "alias": index}}] + [{"remove_index": {"index": name}} for name in old]
    client.indices.update_aliases(body={"actions": actions})
