"""Loads shards into a new index, and switches the alias to it when all documents are in; can be resumed."""

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
from lexel.pipeline.load.metadata_fields import PLACE, MetadataFields, is_place, metadata_fields
from lexel.pipeline.load.reconcile import count_distinct_ids, count_documents, unfinished_shards
from lexel.pipeline.load.replaced import Replaced, find_replaced, source_of
from lexel.pipeline.load.search_templates import store_search_templates
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.timings import timed_each

_POLL_SECONDS = 0.5
# Of what share of the documents an index is made without them. Where OpenSearch rejects more, something else is wrong.
_LEFT_OUT = 0.01


@dataclass(frozen=True)
class LoadReport:
    """The counts of a load."""

    index: str  # the concrete index behind the alias
    documents: int
    sent: int  # in this run
    rejected: int  # of the items, by OpenSearch for what is in them
    unfinished: tuple[str, ...] = ()  # indices of other loads of the same name, which may be on their way
    source: str = ""  # what the documents are of
    replaced: Replaced | None = None  # what the index showed before
    rejects: Path | None = None  # the file that says why documents were rejected


@dataclass(frozen=True)
class _LoadPlan:
    """The shards to load into the new index `target`, to which the alias `index` is switched in the end."""

    shards: ShardFolder
    index: str
    target: str
    options: LoadOptions
    metadata: MetadataFields

    @property
    def rejects(self) -> Path:
        """The file of what OpenSearch will not take."""
        return self.shards.path / f"rejected-{self.index}.jsonl"


def load_shards(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    options: LoadOptions = LoadOptions(),
    progress: Progress = QUIET,
) -> LoadReport:
    """Replace the contents of `index` by the items in `folder`; searches see the old ones until all are in.

    Raises ShardError if the folder has no shards, ConfigError if `index` is not a valid name, ClusterError if
    OpenSearch fails, or if the index would lose more than a tenth of its documents and `options` do not allow that.
    Documents that OpenSearch rejects are written to `folder`/rejected-INDEX.jsonl. One in a hundred, or a single one,
    is left out of the index for its content; if there are more, `index` is unchanged and ClusterError is raised.
    """
    shards = ShardFolder.open(folder)
    keep_freed_memory()  # the next request reuses the memory of the last one
    with readable_errors():
        check_reachable(client)
    client = with_retries(client)
    _check(index, options, client)
    metadata = metadata_fields(shards.batches(columns=["metadata"], size=4096))
    plan = _LoadPlan(shards, index, f"{index}-{_identity(shards, options, metadata)}", options, metadata)
    with readable_errors():
        for _ in range(3):
            # Another load of the same shards may end first, or one of the same name may remove this one's index.
            with suppress(GoneError, errors.NotFoundError):
                return _load(plan, client, progress)
    raise ClusterError(f"The new index of {index} was removed during loading; find out by whom, then try again.")


def _load(plan: _LoadPlan, client: OpenSearch, progress: Progress) -> LoadReport:
    replaced = find_replaced(client, plan.index, plan.target)
    if not plan.options.allow_shrink:
        (replaced or Replaced(0, "")).check_loss(client, plan.index, plan.shards)
    _create(client, plan)
    todo = unfinished_shards(client, plan.target, plan.shards.shards)
    total = plan.shards.rows
    progress.plan(total=total, done=total - sum(shard.rows() for shard in todo))
    sent, rejected = _send(client, plan, todo, progress)
    _keep_rejected(plan.rejects, rejected)
    expected, count = count_distinct_ids(plan.shards.shards), count_documents(client, plan.target)
    if not _are_few(rejected, expected) or count + len(rejected) != expected:
        raise ClusterError(_shortfall(plan, count, expected, rejected))
    if plan.options.merge:
        _merge(client, plan.target)
    # From now on OpenSearch refreshes the index as it is searched.
    settings = {"index": {"refresh_interval": None, "number_of_replicas": plan.options.replicas}}
    client.indices.put_settings(index=plan.target, body=settings)
    if plan.options.templates:
        store_search_templates(client)
    alias.take_over(client, plan.index, plan.target)
    left = alias.clean_up(client, plan.index, plan.target)
    why = plan.rejects if rejected else None
    return LoadReport(plan.target, count, sent, len(rejected), left, source_of(plan.shards), replaced, why)


def _are_few(rejected: Sequence[Rejected], expected: int) -> bool:
    """Whether the index is better with these left out than not at all: a few whose content is at fault."""
    few = len(rejected) <= max(1, expected * _LEFT_OUT) and len(rejected) < max(1, expected)
    return few and all(one.of_content for one in rejected)


def _merge(client: OpenSearch, target: str) -> None:
    """Merge the segments, polling the task: a large index takes hours, longer than a connection is kept."""
    task = client.indices.forcemerge(index=target, params={"max_num_segments": 1, "wait_for_completion": "false"})[
        "task"
    ]
    while not (found := client.tasks.get(task_id=task))["completed"]:
        time.sleep(_POLL_SECONDS)
    if failure := found.get("error"):
        raise ClusterError(f"OpenSearch could not merge the segments of {target}: {failure.get('reason')}.")
    client.indices.refresh(index=target)


def _check(index: str, options: LoadOptions, client: OpenSearch) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,199}", index):
        raise ConfigError(
            f"{index!r} is not a valid index name: use lower-case letters, digits, '-' and '_', "
            "and begin with a letter or digit."
        )
    with readable_errors():
        alias.check_ours(client, index)
        if options.engine == "faiss" and is_embedded(client):
            raise ClusterError(
                "The embedded OpenSearch has no faiss; use --engine lucene, or a full OpenSearch distribution."
            )


def _identity(shards: ShardFolder, options: LoadOptions, metadata: MetadataFields) -> str:
    """8 hex digits of a hash of the shards and options, by which an interrupted load finds its index again."""
    content = [(shard.number, shard.listing(), shard.rows()) for shard in shards.shards]
    made: list[Any] = [options.engine, options.shard_count, not options.collection_fields]
    made += [sorted(metadata.untidy)] if metadata.untidy else []  # an older version loaded these fields as text
    made += [PLACE] if is_place(metadata.properties.get(PLACE)) else []  # and so this one
    # Without what is in pictures' files, the job is that of an older version, and so is its index.
    job = {name: value for name, value in asdict(shards.job).items() if name != "exif" or value}
    about = json.dumps([LAYOUT, job, content, *made], sort_keys=True)
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
        metadata=plan.metadata.properties,
        about={"lexel": _about(plan.shards.job)},
    )
    try:
        client.indices.create(index=plan.target, body=body | {"aliases": alias.loading_aliases(plan.target)})
    except errors.RequestError as error:
        # Another process has begun the same load, or the first attempt succeeded and its response was lost.
        if error.error != "resource_already_exists_exception":
            raise


def _about(job: Job) -> dict[str, Any]:
    """What a search needs to know: which encoder, and where the files are."""
    names = ("encoder", "name", "fingerprint", "vocabulary", "vector_weight", "root", "source", "captions")
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
    fields = CollectionFields(plan.shards) if todo and plan.options.collection_fields else None
    for shard in todo:
        if fields is None:
            for batch in timed_each("reading", shard.batches(columns=COLUMNS)):
                yield from documents(batch, shard=shard.number, metadata=plan.metadata)
        else:
            for batch, rows in timed_each("reading", fields.batches(shard, COLUMNS)):
                yield from documents(batch, shard=shard.number, metadata=plan.metadata, fields=rows)


def _keep_rejected(path: Path, rejected: list[Rejected]) -> None:
    if not rejected:
        path.unlink(missing_ok=True)
        return
    lines = [orjson.dumps({"id": r.id, "reason": r.reason, "document": r.document.decode()}) for r in rejected]
    write_atomically(path, b"\n".join(lines) + b"\n")


def _shortfall(plan: _LoadPlan, count: int, expected: int, rejected: list[Rejected]) -> str:
    if rejected:
        return (
            f"OpenSearch rejected {len(rejected)} of {expected} documents ({rejected[0].reason}); "
            f"they are in {plan.rejects}, and {plan.index} still shows what it held before."
        )
    return (
        f"OpenSearch holds {count} documents and should hold {expected}, so {plan.index} was left as it was; "
        "give the same command again."
    )
