"""Shards to OpenSearch: a new index behind an alias, swapped in when its count is right. A repeated command goes on."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders.runtime.malloc import keep_freed_memory
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.mappings import index_body
from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.cluster.capabilities import is_embedded
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.cluster.retry import check_reachable, with_retries
from lexel.pipeline.collection.fields import CollectionFields
from lexel.pipeline.errors import ClusterError, ConfigError, ShardError
from lexel.pipeline.load import alias, bulk
from lexel.pipeline.load.bulk import GoneError, Rejected
from lexel.pipeline.load.documents import COLUMNS, LAYOUT, documents, field_types
from lexel.pipeline.load.reconcile import count_distinct_ids, count_documents, unfinished_shards
from lexel.pipeline.load.search_templates import store_search_templates
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import Job, read_job
from lexel.pipeline.shards.shard import Shard

ENGINES = ("lucene", "faiss")
_ASKED_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class LoadReport:
    """What a load found and did."""

    index: str  # the concrete index behind the alias
    documents: int
    sent: int  # in this run
    rejected: int
    unfinished: tuple[str, ...] = ()  # indices of other loads of the same name, which may be on their way


@dataclass(frozen=True)
class _LoadPlan:
    """What is to be loaded, and under which name."""

    folder: Path
    job: Job
    there: list[Shard]
    index: str
    target: str
    engine: str
    shard_count: int
    plain: bool


def load_shards(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    shard_count: int = 1,
    replicas: int = 0,
    engine: str = "lucene",
    connections: int = 2,
    plain: bool = False,
    merge: bool = False,
    progress: Progress = QUIET,
) -> LoadReport:
    """Make `index` hold exactly the items in `folder`; until the last one is in, searches see what it held before.

    Raises ShardError for a folder without shards, ClusterError where OpenSearch refuses. Documents that it rejects are
    kept in `folder`/rejected-INDEX.jsonl, and the index is then not swapped in. `plain` leaves out what ranking has no
    use for: near-duplicates, the map, and the cluster's search templates. `merge` makes one segment of each shard
    before the index is swapped in, which is never written to again: the load takes longer, and searches are faster.
    """
    job, there = read_job(folder), finished_shards(folder)
    if not there:
        raise ShardError(f"{folder} holds no finished shards yet: give its `lexel encode` command again.")
    for shard in there:
        shard.check(job)
    keep_freed_memory()  # the next request's body takes the place of the last one's
    with readable_errors():
        check_reachable(client)
    client = with_retries(client)
    _check(index, engine, client)
    target = f"{index}-{_identity(job, there, engine, shard_count, plain)}"
    plan = _LoadPlan(folder, job, there, index, target, engine, shard_count, plain)
    with readable_errors():
        for _ in range(3):
            # Another load of the same shards ends first, or one of the same name removes what it takes for abandoned.
            with suppress(GoneError, errors.NotFoundError):
                return _load(plan, client, replicas, connections, merge, progress)
    raise ClusterError(f"The new index of {index} is removed whenever it is loaded; see by whom, and try again.")


def _load(
    plan: _LoadPlan, client: OpenSearch, replicas: int, connections: int, merge: bool, progress: Progress
) -> LoadReport:
    _create(client, plan)
    todo = unfinished_shards(client, plan.target, plan.there)
    total = sum(shard.rows() for shard in plan.there)
    progress.plan(total=total, done=total - sum(shard.rows() for shard in todo))
    sent, rejected = _send(client, plan, todo, connections, progress)
    _keep_rejected(plan.folder / f"rejected-{plan.index}.jsonl", rejected)
    expected, count = count_distinct_ids(plan.there), count_documents(client, plan.target)
    if rejected or count != expected:
        raise ClusterError(_shortfall(plan.folder, plan.index, count, expected, rejected))
    if merge:
        _merge(client, plan.target)
    # No more refreshes are asked for: the cluster makes them as people search.
    settings = {"index": {"refresh_interval": None, "number_of_replicas": replicas}}
    client.indices.put_settings(index=plan.target, body=settings)
    if not plan.plain:
        store_search_templates(client)
    alias.take_over(client, plan.index, plan.target)
    return LoadReport(plan.target, count, sent, len(rejected), alias.clean_up(client, plan.index, plan.target))


def _merge(client: OpenSearch, target: str) -> None:
    """It may take hours of a large index, longer than any connection is kept: we ask now and then."""
    task = client.indices.forcemerge(index=target, params={"max_num_segments": 1, "wait_for_completion": "false"})[
        "task"
    ]
    while not (found := client.tasks.get(task_id=task))["completed"]:
        time.sleep(_ASKED_EVERY)
    if failure := found.get("error"):
        raise ClusterError(f"OpenSearch could not merge the segments of {target}: {failure.get('reason')}.")
    client.indices.refresh(index=target)


def _check(index: str, engine: str, client: OpenSearch) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,199}", index):
        raise ConfigError(
            f"An index cannot be called {index!r}: use small letters, digits, '-' and '_', "
            "and begin with a letter or digit."
        )
    if engine not in ENGINES:
        raise ConfigError(f"There is no k-NN engine {engine!r}; choose {' or '.join(ENGINES)}.")
    with readable_errors():
        alias.check_ours(client, index)
        if engine == "faiss" and is_embedded(client):
            raise ClusterError(
                "The embedded OpenSearch has no faiss; leave --engine at lucene, or use a full distribution."
            )


def _identity(job: Job, there: list[Shard], engine: str, shard_count: int, plain: bool) -> str:
    """8 digits that the same load always has and another never: how a broken load finds its index again."""
    content = [(shard.number, shard.listing(), shard.rows()) for shard in there]
    about = json.dumps([LAYOUT, asdict(job), content, engine, shard_count, plain], sort_keys=True)
    return hashlib.blake2b(about.encode(), digest_size=4).hexdigest()


def _create(client: OpenSearch, plan: _LoadPlan) -> None:
    if client.indices.exists(index=plan.target):
        alias.begin_again(client, plan.target)
        return
    vocabulary = Vocabulary.load(plan.folder / "vocabulary.json")
    if vocabulary.hash != plan.job.vocabulary:
        raise ShardError(
            f"{plan.folder / 'vocabulary.json'} was changed after encoding; bring the old one back or encode again."
        )
    metadata = field_types(batch for shard in plan.there for batch in shard.batches(columns=["metadata"], size=4096))
    body = index_body(
        dim=plan.job.dim,
        terms=vocabulary.terms,
        forms=vocabulary.forms,
        engine=plan.engine,
        shards=plan.shard_count,
        metadata=metadata,
        about={"lexel": _about(plan.job)},
    )
    try:
        client.indices.create(index=plan.target, body=body | {"aliases": alias.loading_aliases(plan.target)})
    except errors.RequestError as error:
        # Another process has just begun the same load, or our first try was carried out and its answer lost.
        if error.error != "resource_already_exists_exception":
            raise


def _about(job: Job) -> dict[str, Any]:
    """What a search needs to know: which encoder, and where the files are."""
    names = ("encoder", "name", "fingerprint", "vocabulary", "vector_weight", "root", "captions")
    return {name: value for name, value in asdict(job).items() if name in names}


def _send(
    client: OpenSearch, plan: _LoadPlan, todo: list[Shard], connections: int, progress: Progress
) -> tuple[int, list[Rejected]]:
    sent, rejected = 0, list[Rejected]()
    for outcome in bulk.send(
        client, alias.loading(plan.target), _documents(plan, todo), connections=connections, require_alias=True
    ):
        sent += outcome.accepted
        rejected += outcome.rejected
        progress.advance(encoded=outcome.accepted, failed=len(outcome.rejected))
    return sent, rejected


def _documents(plan: _LoadPlan, todo: list[Shard]) -> Iterator[bulk.Document]:
    beside = CollectionFields(plan.folder, plan.there) if todo and not plan.plain else None
    for shard in todo:
        if beside is None:
            for batch in shard.batches(columns=COLUMNS):
                yield from documents(batch, shard=shard.number)
        else:
            for batch, fields in beside.batches(shard, COLUMNS):
                yield from documents(batch, shard=shard.number, beside=fields)


def _keep_rejected(path: Path, rejected: list[Rejected]) -> None:
    if not rejected:
        path.unlink(missing_ok=True)
        return
    lines = [orjson.dumps({"id": r.id, "reason": r.reason, "document": r.document.decode()}) for r in rejected]
    write_atomically(path, b"\n".join(lines) + b"\n")


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
