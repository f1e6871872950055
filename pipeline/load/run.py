"""Loads shards into a new index, and switches the alias to it when all documents are in; can be resumed."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.cluster.retry import check_reachable, with_retries
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load import bulk
from lexel.pipeline.load.bulk import GoneError, Rejected
from lexel.pipeline.load.live import alias
from lexel.pipeline.load.live.in_place import apply_states
from lexel.pipeline.load.live.index_states import difference
from lexel.pipeline.load.live.replaced import Replaced, find_replaced, source_of
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.load_plan import LoadPlan, load_plan
from lexel.pipeline.load.load_report import LoadReport
from lexel.pipeline.load.reconcile import count_documents, unfinished_shards
from lexel.pipeline.load.search_templates import store_search_templates
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.part import WHOLE, Part
from lexel.pipeline.shards.shard import Shard

_POLL_SECONDS = 0.5
# A new index with so many documents a shard is merged by itself, and waited for by this share of the load's time.
_FEW_TO_MERGE, _PATIENCE = 1_000_000, 0.1


def load_shards(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    part: Part = WHOLE,
    options: LoadOptions = LoadOptions(),
    progress: Progress = QUIET,
) -> LoadReport:
    """Replace the contents of `index` by the items in `folder`; searches see the old ones until all are in.

    A part sends its share of the shards into the same new index as the others. The one that finds all documents there,
    which is the last one, switches the alias; the report of the others says how many are `missing`.

    Raises ShardError if the folder has no shards, ConfigError if `index` is not a valid name, ClusterError if
    OpenSearch fails, or if the index would lose more than a tenth of its documents and `options` do not allow that.
    Documents that OpenSearch rejects are written to a RejectsFile in `folder`. One in a hundred, or a single one, is
    left out of the index for its content; if there are more, `index` is unchanged and ClusterError is raised.
    """
    shards = ShardFolder.open(folder)
    with readable_errors():
        check_reachable(client)
    client = with_retries(client)
    plan = load_plan(shards, index=index, client=client, part=part, options=options)
    with readable_errors():
        for _ in range(3):
            # Another load of the same shards may end first, or one of the same name may remove this one's index.
            with suppress(GoneError, errors.NotFoundError):
                return _load(plan, client, progress)
    raise ClusterError(f"The new index of {index} was removed during loading; find out by whom, then try again.")


def _load(plan: LoadPlan, client: OpenSearch, progress: Progress) -> LoadReport:
    began = time.monotonic()
    replaced = find_replaced(client, plan.index, plan.target)
    if not plan.options.allow_shrink:
        (replaced or Replaced(0, "")).check_loss(client, plan.index, plan.shards)
    _create(client, plan)
    unfinished = unfinished_shards(client, plan.target, plan.states, plan.shards.shards)
    todo = [shard for shard in unfinished if plan.part.has_shard(shard.number)]
    total = sum(len(plan.states.of(shard)) for shard in plan.mine)
    progress.plan(total=total, done=total - sum(len(plan.states.of(shard)) for shard in todo))
    sent, rejected = _send(client, plan, todo, progress)
    plan.rejects.write(rejected)
    if not plan.are_few(rejected):
        raise ClusterError(plan.refusal(rejected, (plan.rejects.path,)))
    # Read and counted after this part's are written, so that the last part sees everything.
    rejected, files = plan.rejects.of_all_parts()
    missing = len(plan.states) - count_documents(client, plan.target) - len(rejected)
    if missing <= 0 or plan.part.whole:
        sent += _mended(client, plan, rejected, progress)
        missing = len(plan.states) - count_documents(client, plan.target) - len(rejected)
    count = len(plan.states) - missing - len(rejected)
    report = LoadReport(plan.target, count, sent, len(rejected), source=source_of(plan.shards), rejects=files)
    if missing > 0 and not plan.part.whole:
        return replace(report, missing=missing)
    if not plan.are_few(rejected):
        raise ClusterError(plan.refusal(rejected, files))
    if missing:
        raise ClusterError(
            f"OpenSearch holds {count} documents and should hold {len(plan.states)}, so {plan.index} was left as it "
            "was; give the same command again."
        )
    return replace(report, unfinished=_finish(plan, client, time.monotonic() - began), replaced=replaced)


def _mended(client: OpenSearch, plan: LoadPlan, rejected: Sequence[Rejected], progress: Progress) -> int:
    """Send what differs; returns how many. An index that was changed in place since it got this name holds others."""
    left = difference(client, plan.target, plan.states).without({one.id for one in rejected}, plan.states)
    where, connections = alias.loading(plan.target), plan.options.connections
    return apply_states(client, where, plan.documents, left, connections=connections, progress=progress).sent


def _finish(plan: LoadPlan, client: OpenSearch, seconds: float) -> tuple[str, ...]:
    """Put the whole index, loaded in so many seconds, in the place of the old one; returns unfinished indices.

    Several parts may do so at once.
    """
    if plan.options.merge:
        merge_segments(client, plan.target)
    elif plan.options.merge is None and len(plan.states) <= _FEW_TO_MERGE * plan.options.shard_count:
        # The index is whole without it: a right may be missing, the disk too full, or a cluster that does not merge.
        with suppress(ClusterError, errors.TransportError):
            merge_segments(client, plan.target, patience=_PATIENCE * seconds)
    # From now on OpenSearch refreshes the index as it is searched.
    settings = {"index": {"refresh_interval": None, "number_of_replicas": plan.options.replicas}}
    client.indices.put_settings(index=plan.target, body=settings)
    if plan.options.templates:
        store_search_templates(client)
    alias.take_over(client, plan.index, plan.target)
    return alias.clean_up(client, plan.index, plan.target)


def merge_segments(client: OpenSearch, target: str, *, patience: float = math.inf) -> None:
    """Merge the segments, polling the task: a large index takes hours, longer than a connection is kept.

    After `patience` seconds the rest is left to OpenSearch, which searches the old segments until it is done.
    """
    until = time.monotonic() + patience
    task = client.indices.forcemerge(index=target, params={"max_num_segments": 1, "wait_for_completion": "false"})[
        "task"
    ]
    while not (found := client.tasks.get(task_id=task))["completed"]:
        if time.monotonic() >= until:
            return
        time.sleep(min(_POLL_SECONDS, max(0.05, patience / 10)))
    if failure := found.get("error"):
        raise ClusterError(f"OpenSearch could not merge the segments of {target}: {failure.get('reason')}.")
    client.indices.refresh(index=target)


def _create(client: OpenSearch, plan: LoadPlan) -> None:
    if client.indices.exists(index=plan.target):
        alias.begin_again(client, plan.target)
        return
    try:
        client.indices.create(index=plan.target, body=plan.body() | {"aliases": alias.loading_aliases(plan.target)})
    except errors.RequestError as error:
        # Another process has begun the same load, or the first attempt succeeded and its response was lost.
        if error.error != "resource_already_exists_exception":
            raise


def _send(client: OpenSearch, plan: LoadPlan, todo: Sequence[Shard], progress: Progress) -> tuple[int, list[Rejected]]:
    sent, rejected = 0, list[Rejected]()
    where, connections = alias.loading(plan.target), plan.options.connections
    documents = (document for shard in todo for document in plan.documents.of(shard))
    for outcome in bulk.send(client, where, documents, connections=connections, require_alias=True):
        sent += outcome.accepted
        rejected += outcome.rejected
        progress.advance(encoded=outcome.accepted, failed=len(outcome.rejected))
    return sent, rejected
