"""Encodes the items of a source into shards. An interrupted job is resumed by the same call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import Model, load_model
from lexel.pipeline.collection.tsne_map import write_map
from lexel.pipeline.encode.chunks import Chunk, chunks
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.part import Part
from lexel.pipeline.encode.precision_check import low_precision_if_equal
from lexel.pipeline.encode.prepare import UNREADABLE
from lexel.pipeline.encode.workers import BatchEncoder, batch_encoder
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import finished_shards, remove_leftovers, write_failures
from lexel.pipeline.shards.job import Job, as_begun, check, claim, job_of, listing, read_job
from lexel.pipeline.shards.shard import Failure, Shard, shard_name, write_shard
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source


@dataclass(frozen=True)
class EncodeReport:
    """The counts of an encoding job, for one part, over this and earlier runs.

    `notes` are sentences about what the source leaves out.
    """

    items: int
    encoded: int
    failed: int
    new: int  # items encoded or failed in this run
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _EncodePlan:
    """The listing hash of each chunk of this part, and the chunks without a finished shard (`todo`).

    `again` has the uris to retry in chunks with a finished shard, `items` is the number of all items of the part, and
    `left` of those to encode.
    """

    listings: dict[int, str]
    todo: frozenset[int]
    again: dict[int, list[Failure]]
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

    A shard is finished if it was made from the same listing by the same encoder. Raises SourceError if the source has
    no items, ShardError if `out` belongs to another job, WriteError if it cannot be written.
    """
    model = load_model(encoder, device=options.device)
    if not (options.exact or source.captions):
        model = low_precision_if_equal(model)
    job = as_begun(out, _job(source, encoder, model, options))
    check(out, job)
    plan = _plan(source, out, part, job, options.retry)
    notes = (*source.notes.sentences(), *_left_out(out, job, options))
    options = replace(options, exif=bool(job.exif))
    claim(out, job, encoder)
    progress.plan(total=plan.items, done=plan.items - plan.left)
    with batch_encoder(model, options, feature_dim=job.feature_dim, progress=progress) as work:
        todo = (c for c in chunks(source.items(), shard_size=job.shard_size) if c.number in plan.todo)
        held = _write(work.encode(todo), out, plan)
        if plan.again:
            _retry(work, source, out, plan, job.shard_size)
    report = replace(_settle(out, plan, held), notes=notes)
    _drop_stale(out, part, plan)
    write_failures(out)
    if part.of == 1:
        check_some(report, out, held)
        if options.write_map:
            write_map(out)  # so that a load has nothing to do but to send
    return report


def check_some(report: EncodeReport, out: Path, held: Mapping[int, Sequence[Failure]] = MappingProxyType({})) -> None:
    """Raise SourceError where nothing at all could be read: a disk that is not there, more likely than a new truth."""
    if report.encoded or not report.failed:
        return
    failures = [*chain.from_iterable(held.values()), *chain.from_iterable(s.failures() for s in finished_shards(out))]
    if all(map(_was_unreadable, failures)):
        raise SourceError(
            f"None of the {report.items:,} items could be read ({failures[0].uri}: {failures[0].reason}); see that the "
            "disk is there and that you may read it, and give the same command again."
        )


def _write(
    encoded: Iterator[tuple[int, pa.Table, list[Failure]]], out: Path, plan: _EncodePlan
) -> dict[int, list[Failure]]:
    """Write each shard. Returns the chunks of which nothing at all could be read, whose old shards are not replaced."""
    held: dict[int, list[Failure]] = {}
    for number, rows, failures in encoded:
        if not rows.num_rows and all(map(_was_unreadable, failures)) and _rows_of(out, number):
            held[number] = failures
        else:
            write_shard(out, number, rows, listing=plan.listings[number], failures=failures)
    return held


def _rows_of(out: Path, number: int) -> int:
    """How many items the shard holds that is there; 0 for none, or half of one."""
    shard = Shard(number, out / shard_name(number))
    try:
        return shard.rows() if shard.path.exists() else 0
    except ShardError:
        return 0


def _settle(out: Path, plan: _EncodePlan, held: Mapping[int, Sequence[Failure]]) -> EncodeReport:
    """Replace the shards that were held back, unless nothing else was encoded: then they are all that there is."""
    mine = [s for s in finished_shards(out) if s.number in plan.listings and s.number not in held]
    encoded = sum(shard.rows() for shard in mine)
    failed = sum(len(shard.failures()) for shard in mine) + sum(map(len, held.values()))
    for number, failures in held.items() if encoded else ():
        old = Shard(number, out / shard_name(number)).table()
        write_shard(out, number, old.slice(0, 0), listing=plan.listings[number], failures=failures)
    return EncodeReport(plan.items, encoded, failed, plan.left)


def _was_unreadable(failure: Failure) -> bool:
    """Whether it may pass by itself: the file itself was never seen."""
    return failure.reason.startswith(UNREADABLE)


def _job(source: Source, encoder: Encoder, model: Model, options: EncodeOptions) -> Job:
    return job_of(
        encoder,
        model,
        root=str(source.root),
        source=source.name,
        captions=source.captions,
        shard_size=options.shard_size,
        preview=options.preview,
        exif=options.exif,
    )


def _left_out(out: Path, job: Job, options: EncodeOptions) -> Iterator[str]:
    if options.exif and job.exif is None and not job.captions:
        yield (
            f"{out} was begun by an older lexel and goes on without the dates, places and keywords in the pictures' "
            "files; encode into another folder to have them."
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
    failed = {n: [f for f in there[n].failures() if retry or _was_unreadable(f)] for n in kept}
    again = {n: failures for n, failures in failed.items() if failures}
    todo = frozenset(listings.keys() - kept)
    left = sum(counts[n] for n in todo) + sum(map(len, again.values()))
    return _EncodePlan(listings, todo, again, sum(counts.values()), left)


def _check_source(out: Path, job: Job) -> None:
    """Raise ShardError if the shards are of another source. Called if no shard matches, before they are replaced."""
    try:
        there = read_job(out)
    except ShardError:  # without job.json their source is unknown, and they cannot be loaded
        return
    if (there.root, there.source) != (job.root, job.source):
        raise ShardError(f"{out} holds shards of {Path(there.root) / there.source}; encode into another folder.")


def _retry(work: BatchEncoder, source: Source, out: Path, plan: _EncodePlan, shard_size: int) -> None:
    """Encode the failed items of finished shards again, and insert those that succeed into the shard, in order."""
    for chunk in chunks(source.items(), shard_size=shard_size):
        if tried := plan.again.get(chunk.number):
            again = Chunk(chunk.number, _failed(chunk, tried))
            for number, rows, failures in work.encode([again]):
                shard = Shard(number, out / shard_name(number))
                settled = [f for f in shard.failures() if f not in tried]
                if rows.num_rows or failures != tried:
                    merged = _in_order(chunk, [shard.table(), rows])
                    write_shard(out, number, merged, listing=plan.listings[number], failures=settled + failures)


def _failed(chunk: Chunk, failures: Sequence[Failure]) -> list[Item]:
    """The items that these are. Texts may share a uri, that of their picture."""
    uris, ids = {f.uri for f in failures}, {f.id for f in failures}
    some = [item for item in chunk.items if item.uri in uris]
    return [item for item in some if item.text is None or item.identify(item.text.encode()) in ids]


def _in_order(chunk: Chunk, tables: Sequence[pa.Table]) -> pa.Table:
    # Shards of older versions lack the columns of previews.
    both = pa.concat_tables([t.replace_schema_metadata(None) for t in tables], promote_options="default")
    place = {(item.uri, item.text): position for position, item in enumerate(chunk.items)}
    there = [place[uri, text] for uri, text in zip(both["uri"].to_pylist(), both["text"].to_pylist(), strict=True)]
    return both.take(sorted(range(both.num_rows), key=there.__getitem__))


def _drop_stale(out: Path, part: Part, plan: _EncodePlan) -> None:
    """Remove shards past the end of a source that has become shorter, and temporary files of killed runs."""
    for shard in finished_shards(out):
        if part.has(shard.number) and shard.number not in plan.listings:
            shard.path.unlink(missing_ok=True)
    # With several parts, others may be writing the common files now.
    common = ["job.json", "vocabulary.json", "failures.parquet", "map.parquet"] if part.of == 1 else []
    remove_leftovers(out, {*map(shard_name, plan.listings), *common})
