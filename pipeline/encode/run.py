"""Encodes the items of a source into shards. The same call again does what has changed, and what was not done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lexel.encoders.encoder import Encoder
from lexel.pipeline.collection.tsne_map import write_map
from lexel.pipeline.encode.changes.copying import copied_rows
from lexel.pipeline.encode.changes.known import KnownShards, known_shards
from lexel.pipeline.encode.changes.settle import settled
from lexel.pipeline.encode.changes.source_comparison import Change
from lexel.pipeline.encode.changes.survey import ChangeCounts, Survey, survey
from lexel.pipeline.encode.chunks import Chunk
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.shard_writer import ShardWriter
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.iterators import batched
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import remove_leftovers, write_failures
from lexel.pipeline.shards.folder_lock import locked_folder
from lexel.pipeline.shards.job import Job, as_begun, check, claim, job_of, make_folder, read_job
from lexel.pipeline.shards.ledger import EntryStatus, Ledger
from lexel.pipeline.shards.ledger_file import ledger_name, write_ledger
from lexel.pipeline.shards.part import WHOLE, Part
from lexel.pipeline.shards.shard import Failure, shard_name
from lexel.pipeline.sources.source import Source

if TYPE_CHECKING:  # a run that finds nothing new loads no torch
    from lexel.encoders.model import Model


@dataclass(frozen=True)
class EncodeReport:
    """The counts of an encoding job, for one part, over this and earlier runs.

    `notes` are sentences about what the source leaves out, `changes` what this run found new or otherwise. `computes`
    says what the pictures' network ran in, if this run needed it.
    """

    items: int
    encoded: int
    failed: int
    new: int  # items encoded, copied or failed in this run
    notes: tuple[str, ...] = ()
    changes: ChangeCounts = field(default=ChangeCounts(), compare=False)
    computes: str = field(default="", compare=False)


def encode_source(
    source: Source,
    out: Path,
    *,
    encoder: Encoder,
    part: Part = WHOLE,
    options: EncodeOptions = EncodeOptions(),
    progress: Progress = QUIET,
) -> EncodeReport:
    """Encode the items of `source` that belong to `part` into shards in `out`.

    What is there and has not changed is kept; an item with known bytes is copied and not encoded. Raises SourceError if
    the source has no items, ShardError if `out` belongs to another job, WriteError if it cannot be written.
    """
    model = _LazyModel(source, encoder, options)
    job = as_begun(out, _job(source, out, encoder, model, options))
    check(out, job)
    left_out = tuple(_left_out(out, job, options))
    options = replace(options, exif=bool(job.exif))
    _check_some(source)
    make_folder(out)
    with locked_folder(out, part):
        known = known_shards(out, part, job)
        found = survey(source, known.ledger, retry=options.retry, verify=options.verify)
        _check_source(out, job, found)
        notes = (*source.notes.sentences(), *left_out)
        claim(out, job, encoder)
        items, ledger = found.comparison.items, known.ledger
        progress.plan(total=items, done=items - found.todo)
        if found.todo or found.gone.any() or found.comparison.touched or not known.written:
            writer = ShardWriter(out, job, ledger.generation + 1, _numbers(known, part), _reasons(ledger))
            _write(found, known, writer, model, options, progress)
            ledger, empty = _without_empty(settled(found, known, writer), part)
            write_ledger(out, ledger)
            _clean_up(out, part, known, writer, empty)
        write_failures(out, ledger if part.whole else None)
    encoded, failed = (int(np.count_nonzero(ledger.status == s)) for s in (EntryStatus.LIVE, EntryStatus.FAILED))
    report = EncodeReport(items, encoded, failed, found.todo, notes, found.counts, model.computes)
    if part.whole:
        check_some(report, ledger.failures)
        if options.write_map:
            write_map(out)  # so that a load has nothing to do but to send
    return report


def survey_source(source: Source, out: Path, *, encoder: Encoder, options: EncodeOptions = EncodeOptions()) -> Survey:
    """What `encode_source` would do; nothing is written. Raises ShardError if `out` belongs to another job."""
    _check_some(source)
    if not (out / "job.json").exists():
        return survey(source, Ledger())
    job = read_job(out)
    if job.fingerprint != encoder.fingerprint:
        job = _job(source, out, encoder, _LazyModel(source, encoder, options), options)
        check(out, job)
    known = known_shards(out, WHOLE, job)
    return survey(source, known.ledger, retry=options.retry, verify=options.verify)


def check_some(report: EncodeReport, failures: Sequence[Failure]) -> None:
    """Raise SourceError where nothing at all could be read: a disk that is not there, more likely than a new truth."""
    away = report.changes.unreachable
    if report.items and away + report.failed >= report.items and all(failure.unreadable for failure in failures):
        first = f" ({failures[0].uri}: {failures[0].reason})" if failures else ""
        kept = f"; what is known of {away:,} of them is kept" if away else ""
        raise SourceError(
            f"None of the {report.items:,} items could be read{first}{kept}; see that the "
            "disk is there and that you may read it, and give the same command again."
        )


class _LazyModel:
    """The networks of an encoder, loaded when they are first needed."""

    def __init__(self, source: Source, encoder: Encoder, options: EncodeOptions) -> None:
        self._encoder, self._options, self._texts = encoder, options, source.captions
        self._model: Model | None = None
        self.computes = ""  # what the pictures' network ran in, if it did

    def __call__(self) -> "Model":
        if self._model is None:
            from lexel.encoders.model import load_model

            self._model = load_model(self._encoder, device=self._options.device)
        return self._model

    def for_pictures(self, count: int) -> "Model":
        """As it encodes so many pictures in the least time."""
        from lexel.pipeline.encode.compiled_network import compiled_if_equal
        from lexel.pipeline.encode.precision_check import low_precision_if_equal

        if self._texts:
            return self()
        if self._options.exact:
            fastest = self()
        else:
            fastest = low_precision_if_equal(compiled_if_equal(self(), self._encoder, pictures=count))
        self.computes = fastest.computes
        return fastest


def _job(source: Source, out: Path, encoder: Encoder, model: _LazyModel, options: EncodeOptions) -> Job:
    try:
        there = read_job(out)
        known = there if (there.fingerprint, there.captions) == (encoder.fingerprint, source.captions) else None
    except ShardError:
        known = None
    return job_of(
        encoder,
        sizes=(known.dim, known.feature_dim) if known else (model().dim, model().feature_dim),
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


def _check_some(source: Source) -> None:
    if next(iter(source.items()), None) is None:
        what = "captions" if source.captions else "pictures"
        said = " ".join(["", *(sentence.rstrip(".") + "." for sentence in source.notes.sentences())])
        raise SourceError(f"There is nothing to encode in {source.place}: no {what} were found.{said}")


def _check_source(out: Path, job: Job, found: Survey) -> None:
    """Raise ShardError if the shards are of another source, and none of its items is in this one as it was."""
    if not len(found.ledger) or np.count_nonzero(found.comparison.seen) > found.counts.changed:
        return
    try:
        there = read_job(out)
    except ShardError:  # without job.json their source is unknown, and they cannot be loaded
        return
    if (there.root, there.source) != (job.root, job.source):
        raise ShardError(f"{out} holds shards of {Path(there.root) / there.source}; encode into another folder.")


def _write(
    found: Survey,
    known: KnownShards,
    writer: ShardWriter,
    model: _LazyModel,
    options: EncodeOptions,
    progress: Progress,
) -> None:
    """Write shards of all that is to be copied or encoded."""
    size, job = options.shard_size, writer.job
    if found.counts.copied:
        for some in batched((change for change in found.changes() if change.entry >= 0), size):
            writer.write(next(writer.numbers), copied_rows(some, known.ledger, known.shards, job), [])
            progress.advance(encoded=len(some), failed=0)
    if found.todo > found.counts.copied:
        from lexel.pipeline.encode.workers import batch_encoder

        fastest = model.for_pictures(found.todo - found.counts.copied)
        with batch_encoder(fastest, options, feature_dim=job.feature_dim, progress=progress) as work:
            for number, rows, failures in work.encode(_chunks(found.changes(), writer.numbers, size)):
                writer.write(number, rows, failures)


def _reasons(ledger: Ledger) -> dict[bytes, str]:
    """Why items failed, by their key."""
    failed = ledger.entries.filter(pa.array(ledger.status == EntryStatus.FAILED))
    return dict(zip(failed["key"].to_pylist(), failed["reason"].to_pylist(), strict=True))


def _chunks(changes: Iterable[Change], numbers: Iterator[int], size: int) -> Iterator[Chunk]:
    pieces = batched((change.item for change in changes if change.entry < 0), size)
    return (Chunk(next(numbers), piece) for piece in pieces)


def _numbers(known: KnownShards, part: Part) -> Iterator[int]:
    """The numbers of new shards: those of a part never meet those of another that runs now."""
    index = part.index % part.of
    mine = [number for number in known.numbers if part.has_shard(number)]
    return count(max(mine) + part.of if mine else index, part.of)


def _without_empty(ledger: Ledger, part: Part) -> tuple[Ledger, list[int]]:
    """The ledger without the shards that hold nothing, unless all are so, and their numbers."""
    used = set(np.unique(ledger.ints("shard")).tolist()) - {-1}
    if not (part.whole and used):
        return ledger, []
    named = {number: name for number, name in ledger.listings.items() if number in used}
    return replace(ledger, listings=named), sorted(ledger.listings.keys() - used)


def _clean_up(out: Path, part: Part, known: KnownShards, writer: ShardWriter, empty: Sequence[int]) -> None:
    """Remove shards that hold nothing, broken ones, and temporary files of killed runs."""
    for path in [*(shard.path for shard in known.broken), *(out / shard_name(number) for number in empty)]:
        path.unlink(missing_ok=True)
    # With several parts, others may be writing the common files now.
    common = ["job.json", "vocabulary.json", "failures.parquet", "map.parquet"] if part.whole else []
    numbers = [number for number in known.numbers | writer.listings.keys() if part.has_shard(number)]
    remove_leftovers(out, {*map(shard_name, numbers), ledger_name(part), *common})
