"""The job: a source's items to shards. The same command again goes on where it stopped, however it stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import Model, load_model
from lexel.pipeline.collection.tsne_map import write_map
from lexel.pipeline.encode.chunks import Chunk, chunks
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.part import Part
from lexel.pipeline.encode.precision_check import low_precision_if_equal
from lexel.pipeline.encode.workers import BatchEncoder, batch_encoder
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import finished_shards, remove_leftovers, write_failures
from lexel.pipeline.shards.job import Job, check, claim, job_of, listing, read_job
from lexel.pipeline.shards.shard import Shard, shard_name, write_shard
from lexel.pipeline.sources.source import Source


@dataclass(frozen=True)
class EncodeReport:
    """What a job found and did; the counts are of this part, over this and earlier runs.

    `notes` are sentences about what the source leaves out.
    """

    items: int
    encoded: int
    failed: int
    new: int  # items encoded or failed in this run
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _EncodePlan:
    """What is to be done: the listing hash of each chunk of this part, and which of them have no shard yet.

    `again` holds the uris to try again of chunks that have one; `left` counts the items of both.
    """

    listings: dict[int, str]
    todo: frozenset[int]
    again: dict[int, frozenset[str]]
    items: int
    left: int


def encode_source(
    source: Source,
    out: Path,
    *,
    encoder: Encoder,
    part: Part = Part(),
    options: EncodeOptions = EncodeOptions(),
    progress: Progress = QUIET,
) -> EncodeReport:
    """Encode the items of `source` that belong to `part` into shards in `out`; finished shards are kept.

    A shard is finished if it is there and was made from the same listing by the same encoder. Raises SourceError for a
    source without items, ShardError where `out` belongs to another job, WriteError where it cannot be written.
    """
    model = load_model(encoder, device=options.device)
    if not (options.exact or source.captions):
        model = low_precision_if_equal(model)
    job = _job(source, encoder, model, options)
    check(out, job)
    plan = _plan(source, out, part, job, options.retry)
    notes = tuple(source.notes.sentences())
    claim(out, job, encoder)
    progress.plan(total=plan.items, done=plan.items - plan.left)
    with batch_encoder(model, options, feature_dim=job.feature_dim, progress=progress) as work:
        todo = (c for c in chunks(source.items(), shard_size=job.shard_size) if c.number in plan.todo)
        for number, rows, failures in work.encode(todo):
            write_shard(out, number, rows, listing=plan.listings[number], failures=failures)
        if plan.again:
            _retry(work, source, out, plan, job.shard_size)
    _drop_stale(out, part, plan)
    write_failures(out)
    if options.write_map and part.of == 1:
        write_map(out)  # so that a load has nothing to do but to send
    return _report(out, plan, notes)


def _job(source: Source, encoder: Encoder, model: Model, options: EncodeOptions) -> Job:
    return job_of(
        encoder,
        model,
        root=str(source.root),
        source=source.name,
        captions=source.captions,
        shard_size=options.shard_size,
        preview=options.preview,
    )


def _plan(source: Source, out: Path, part: Part, job: Job, retry: bool) -> _EncodePlan:
    there = {shard.number: shard for shard in finished_shards(out)}
    counts: dict[int, int] = {}
    listings: dict[int, str] = {}
    empty = True
    for chunk in chunks(source.items(), shard_size=job.shard_size):
        empty = False
        if part.has(chunk.number):
            listings[chunk.number] = listing(job, chunk.digest())
            counts[chunk.number] = len(chunk.items)
    if empty:
        what = "captions" if source.captions else "pictures"
        said = " ".join(["", *(sentence.rstrip(".") + "." for sentence in source.notes.sentences())])
        raise SourceError(f"There is nothing to encode in {source.place}: no {what} were found.{said}")
    kept = {n for n, made_from in listings.items() if n in there and there[n].holds(made_from)}
    if not kept and there.keys() & listings.keys():
        _check_source(out, job)
    failed = {n: frozenset(f.uri for f in there[n].failures()) for n in kept} if retry else {}
    again = {n: uris for n, uris in failed.items() if uris}
    todo = frozenset(listings.keys() - kept)
    left = sum(counts[n] for n in todo) + sum(map(len, again.values()))
    return _EncodePlan(listings, todo, again, sum(counts.values()), left)


def _check_source(out: Path, job: Job) -> None:
    """None of the shards fits the source. They are only thrown away where it is known to be theirs."""
    try:
        there = read_job(out)
    except ShardError:  # without job.json nobody can tell whose they are, or load them
        return
    if (there.root, there.source) != (job.root, job.source):
        raise ShardError(f"{out} holds shards of {Path(there.root) / there.source}; encode into another folder.")


def _retry(work: BatchEncoder, source: Source, out: Path, plan: _EncodePlan, shard_size: int) -> None:
    """Try the failed items of finished shards again; what succeeds now takes its place in the shard."""
    for chunk in chunks(source.items(), shard_size=shard_size):
        if uris := plan.again.get(chunk.number):
            again = Chunk(chunk.number, [item for item in chunk.items if item.uri in uris])
            for number, rows, failures in work.encode([again]):
                shard = Shard(number, out / shard_name(number))
                merged = _in_order(chunk, [shard.table(), rows])
                write_shard(out, number, merged, listing=plan.listings[number], failures=failures)


def _in_order(chunk: Chunk, tables: Sequence[pa.Table]) -> pa.Table:
    # Shards from before pictures had looks lack their columns.
    both = pa.concat_tables([t.replace_schema_metadata(None) for t in tables], promote_options="default")
    place = {item.uri: position for position, item in enumerate(chunk.items)}
    return both.take(sorted(range(both.num_rows), key=lambda i: place[both["uri"][i].as_py()]))


def _drop_stale(out: Path, part: Part, plan: _EncodePlan) -> None:
    """Remove shards past the end of a source that has become shorter, and what a killed run left half-written."""
    for shard in finished_shards(out):
        if part.has(shard.number) and shard.number not in plan.listings:
            shard.path.unlink(missing_ok=True)
    # Other parts may be writing the common files at this moment.
    common = ["job.json", "vocabulary.json", "failures.parquet", "map.parquet"] if part.of == 1 else []
    remove_leftovers(out, {*map(shard_name, plan.listings), *common})


def _report(out: Path, plan: _EncodePlan, notes: tuple[str, ...]) -> EncodeReport:
    mine = [shard for shard in finished_shards(out) if shard.number in plan.listings]
    failed = sum(len(shard.failures()) for shard in mine)
    return EncodeReport(plan.items, sum(shard.rows() for shard in mine), failed, plan.left, notes)
