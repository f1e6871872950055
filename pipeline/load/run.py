"""Shards to OpenSearch: a new index behind an alias, swapped in when its count is right. A repeated command goes on."""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders.runtime.malloc import keep_freed_memory
from lexel.mappings import index_body
from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.cluster.capabilities import is_embedded
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.cluster.retry import check_reachable, with_retries
from lexel.pipeline.collection.fields import CollectionFields
from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.load import alias, bulk
from lexel.pipeline.load.bulk import GoneError, Rejected
from lexel.pipeline.load.documents import COLUMNS, LAYOUT, documents
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.metadata_types import MetadataTypes, metadata_types
from lexel.pipeline.load.reconcile import count_distinct_ids, count_documents, unfinished_shards
from lexel.pipeline.load.search_templates import store_search_templates
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.timings import timed_each

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
    """What is to be loaded: into the new index `target`, which then takes the place behind the alias `index`."""

    shards: ShardFolder
    index: str
    target: str
    options: LoadOptions
    types: MetadataTypes


def load_shards(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    options: LoadOptions = LoadOptions(),
    progress: Progress = QUIET,
) -> LoadReport:
    """Make `index` hold exactly the items in `folder`; until the last one is in, searches see what it held before.

    Raises ShardError for a folder without shards, ClusterError where OpenSearch refuses. Documents that it rejects are
    kept in `folder`/rejected-INDEX.jsonl, and the index is then not swapped in.
    """
    shards = ShardFolder.open(folder)
    keep_freed_memory()  # the next request's body takes the place of the last one's
    with readable_errors():
        check_reachable(client)
    client = with_retries(client)
    _check(index, options, client)
    types = metadata_types(shards.batches(columns=["metadata"], size=4096))
    plan = _LoadPlan(shards, index, f"{index}-{_identity(shards, options, types)}", options, types)
    with readable_errors():
        for _ in range(3):
            # Another load of the same shards ends first, or one of the same name removes what it takes for abandoned.
            with suppress(GoneError, errors.NotFoundError):
                return _load(plan, client, progress)
    raise ClusterError(f"The new index of {index} is removed whenever it is loaded; see by whom, and try again.")


def _load(plan: _LoadPlan, client: OpenSearch, progress: Progress) -> LoadReport:
    _create(client, plan)
    todo = unfinished_shards(client, plan.target, plan.shards.shards)
    total = plan.shards.rows
    progress.plan(total=total, done=total - sum(shard.rows() for shard in todo))
    sent, rejected = _send(client, plan, todo, progress)
    _keep_rejected(plan.shards.path / f"rejected-{plan.index}.jsonl", rejected)
    expected, count = count_distinct_ids(plan.shards.shards), count_documents(client, plan.target)
    if rejected or count != expected:
        raise ClusterError(_shortfall(plan.shards.path, plan.index, count, expected, rejected))
    if plan.options.merge:
        _merge(client, plan.target)
    # No more refreshes are asked for: the cluster makes them as people search.
    settings = {"index": {"refresh_interval": None, "number_of_replicas": plan.options.replicas}}
    client.indices.put_settings(index=plan.target, body=settings)
    if plan.options.templates:
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


def _check(index: str, options: LoadOptions, client: OpenSearch) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,199}", index):
        raise ConfigError(
            f"An index cannot be called {index!r}: use small letters, digits, '-' and '_', "
            "and begin with a letter or digit."
        )
    with readable_errors():
        alias.check_ours(client, index)
        if options.engine == "faiss" and is_embedded(client):
            raise ClusterError(
                "The embedded OpenSearch has no faiss; leave --engine at lucene, or use a full distribution."
            )


def _identity(shards: ShardFolder, options: LoadOptions, types: MetadataTypes) -> str:
    """8 digits that the same load always has and another never: how a broken load finds its index again."""
    content = [(shard.number, shard.listing(), shard.rows()) for shard in shards.shards]
    made: list[Any] = [options.engine, options.shard_count, not options.collection_fields]
    made += [sorted(types.untidy)] if types.untidy else []  # what an older lexel loaded as texts
    about = json.dumps([LAYOUT, asdict(shards.job), content, *made], sort_keys=True)
    return hashlib.blake2b(about.encode(), digest_size=4).hexdigest()


def _create(client: OpenSearch, plan: _LoadPlan) -> None:
    if client.indices.exists(index=plan.target):
        alias.begin_again(client, plan.target)
        return
    body = index_body(
        dim=plan.shards.job.dim,
        terms=plan.shards.vocabulary.terms,
        forms=plan.shards.vocabulary.forms,
        engine=plan.options.engine,
        shards=plan.options.shard_count,
        metadata=plan.types.of,
        about={"lexel": _about(plan.shards.job)},
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


def _send(client: OpenSearch, plan: _LoadPlan, todo: Sequence[Shard], progress: Progress) -> tuple[int, list[Rejected]]:
    sent, rejected = 0, list[Rejected]()
    where, connections = alias.loading(plan.target), plan.options.connections
    for outcome in bulk.send(client, where, _documents(plan, todo), connections=connections, require_alias=True):
        sent += outcome.accepted
        rejected += outcome.rejected
        progress.advance(encoded=outcome.accepted, failed=len(outcome.rejected))
    return sent, rejected


def _documents(plan: _LoadPlan, todo: Sequence[Shard]) -> Iterator[bulk.Document]:
    untidy = plan.types.untidy
    fields = CollectionFields(plan.shards) if todo and plan.options.collection_fields else None
    for shard in todo:
        if fields is None:
            for batch in timed_each("reading", shard.batches(columns=COLUMNS)):
                yield from documents(batch, shard=shard.number, untidy=untidy)
        else:
            for batch, rows in timed_each("reading", fields.batches(shard, COLUMNS)):
                yield from documents(batch, shard=shard.number, beside=rows, untidy=untidy)


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
