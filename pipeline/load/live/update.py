"""Brings an index that is there to the state of its shards, in place: only what differs is sent or removed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from opensearchpy import OpenSearch

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.cluster.retry import check_reachable, with_retries
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.load.live.in_place import apply_states
from lexel.pipeline.load.live.index_states import Difference, difference
from lexel.pipeline.load.live.replaced import LOSS, kind_of_items, source_in, source_of
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.load_plan import LoadPlan, load_plan, made_of
from lexel.pipeline.load.load_report import LoadReport
from lexel.pipeline.load.reconcile import count_documents
from lexel.pipeline.load.run import merge_segments
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.ledger import EntryStatus, Ledger

# What a field of a first type answers as well that would be of the second in a new index.
_WIDER = {("double", "long")}


class NewIndexNeededError(ClusterError):
    """The index cannot become what it should be by changing documents: it has to be made anew."""


@dataclass(frozen=True)
class LiveIndex:
    """The one index behind an alias, with what lexel wrote about it and its metadata fields."""

    name: str
    about: Mapping[str, Any]
    metadata: Mapping[str, Mapping[str, Any]]


def live_index(client: OpenSearch, index: str) -> LiveIndex | None:
    """The index behind the alias; None if there is none. Raises ClusterError for several, or for another's."""
    with readable_errors():
        if not client.indices.exists_alias(name=index):
            return None
        found = client.indices.get_mapping(index=index)
    if len(found) > 1:
        raise ClusterError(
            f"{index} is an alias of {len(found)} indices ({', '.join(sorted(found))}); sync one of them."
        )
    name, about = next(iter(found.items()))
    if "lexel" not in about["mappings"].get("_meta", {}):
        raise ClusterError(f"{index} is an alias of {name}, which lexel did not make; choose another name.")
    properties = about["mappings"]["properties"].get("meta", {}).get("properties", {})
    return LiveIndex(name, about["mappings"]["_meta"]["lexel"], properties)


def update_index(
    folder: Path,
    *,
    index: str,
    client: OpenSearch,
    options: LoadOptions = LoadOptions(),
    progress: Progress = QUIET,
) -> LoadReport:
    """Send to `index` what it lacks of the items in `folder`, and remove what is not among them.

    Searches see each document as it was, or as it is now. Raises NewIndexNeededError if the index is of another
    source, encoder or form, or has a field of a type that the values have no more; ClusterError if more than a tenth of
    it would be gone and `options` do not allow that, or if OpenSearch rejects more than a few documents.
    """
    shards = ShardFolder.open(folder)
    with readable_errors():
        check_reachable(client)
    client = with_retries(client)
    live = live_index(client, index)
    if live is None:
        raise NewIndexNeededError(f"There is no index {index}: `lexel load {folder} --index {index}` makes it.")
    plan = load_plan(shards, index=index, client=client, options=options)
    _check_fits(plan, live)
    with readable_errors():
        return _update(plan, live, client, progress)


def _update(plan: LoadPlan, live: LiveIndex, client: OpenSearch, progress: Progress) -> LoadReport:
    _add_fields(client, plan, live)
    before, found = count_documents(client, live.name), difference(client, live.name, plan.states)
    if not plan.options.allow_shrink:
        _check_loss(plan, before, found)
    total = len(plan.states)
    progress.plan(total=total, done=total - len(found.missing))
    connections = plan.options.connections
    done = apply_states(client, plan.index, plan.documents, found, connections=connections, progress=progress)
    plan.rejects.write(done.rejected)
    files = (plan.rejects.path,) if done.rejected else ()
    if not plan.are_few(done.rejected):
        raise ClusterError(plan.refusal(done.rejected, files))
    if plan.options.merge:
        merge_segments(client, live.name)
    if plan.about != live.about:
        client.indices.put_mapping(index=live.name, body={"_meta": {"lexel": plan.about}})
    count = count_documents(client, live.name)
    report = LoadReport(live.name, count, done.sent, len(done.rejected), source=source_of(plan.shards), rejects=files)
    return replace(report, removed=done.removed)


def _check_fits(plan: LoadPlan, live: LiveIndex) -> None:
    """Raise NewIndexNeededError where changing documents is not enough."""
    job, why = plan.shards.job, ""
    there = source_in(live.about)
    types = {n: (live.metadata[n]["type"], own["type"]) for n, own in _fields(plan).items() if n in live.metadata}
    other = [name for name, (was, own) in types.items() if was != own and (was, own) not in _WIDER]
    if live.about["fingerprint"] != job.fingerprint:
        why = f"was made with the encoder {live.about['name']}, and the shards with {job.name}"
    elif live.about.get("captions") != job.captions:
        why = f"shows {kind_of_items(live.about)}, and the shards are of the other kind"
    elif there != source_of(plan.shards):
        why = f"shows documents of {there}, and the shards are of {source_of(plan.shards)}"
    elif live.about.get("made") != made_of(plan.options):
        why = "was made by another version, or with other options"
    elif other:
        was, own = types[other[0]]
        why = f"has {other[0]!r} as {was}, and its values are {own} now"
    if why:
        raise NewIndexNeededError(
            f"{plan.index} {why}; `lexel load {plan.shards.path} --index {plan.index}` makes a new index in its place."
        )


def _fields(plan: LoadPlan) -> Mapping[str, Mapping[str, Any]]:
    return plan.documents.metadata.properties


def _add_fields(client: OpenSearch, plan: LoadPlan, live: LiveIndex) -> None:
    """Add metadata fields that the index has not."""
    new = {name: own for name, own in _fields(plan).items() if name not in live.metadata}
    if new:
        client.indices.put_mapping(index=live.name, body={"properties": {"meta": {"properties": new}}})


def _check_loss(plan: LoadPlan, before: int, found: Difference) -> None:
    """Raise ClusterError where more than a tenth of the documents would be gone, with nothing in their place."""
    lost = len(found.surplus) - _succeeded(plan.shards.ledger, found.surplus)
    if lost and (lost > LOSS * before or not len(plan.states)):
        raise ClusterError(
            f"{lost:,} of the {before:,} documents of {plan.index} would be gone, and it was left as it is; see that "
            f"all of {source_of(plan.shards)} can be read, or give --allow-shrink."
        )


def _succeeded(ledger: Ledger, ids: tuple[str, ...]) -> int:
    """How many of these documents are of items that were changed, or are there under another name."""
    gone, dead = set(ids), np.flatnonzero(ledger.status == EntryStatus.DEAD).tolist()
    columns = {name: ledger.entries[name].to_pylist() for name in ("id", "key", "content")} if gone and dead else {}
    if not columns:
        return 0
    live = np.flatnonzero(ledger.live).tolist()
    keys, contents = ({columns[name][i] for i in live} - {None} for name in ("key", "content"))
    found = {columns["id"][i] for i in dead if columns["key"][i] in keys or columns["content"][i] in contents}
    return len({document_id(id_) for id_ in found} & gone)
