"""The job: a source's items to shards. The same command again goes on where it stopped, however it stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

import pyarrow as pa

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import load_model
from lexel.pipeline.encode.chunks import Chunk, chunks
from lexel.pipeline.encode.precision_check import low_precision_if_equal
from lexel.pipeline.encode.prepare import View, min_side, prepare, whole
from lexel.pipeline.encode.workers import BatchEncoder, batch_encoder
from lexel.pipeline.errors import ConfigError, ShardError, SourceError
from lexel.pipeline.images.preview import SIDE
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards import shard as shards
from lexel.pipeline.shards.folder import finished_shards, remove_leftovers, write_failures
from lexel.pipeline.shards.job import Job, check, claim, job_of, listing, read_job
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.sources.source import Source


@dataclass(frozen=True)
class Part:
    """The share of one worker among `of`: chunk k belongs to part k mod `of`, so it is settled by the list alone.

    Counting from 0 or from 1 both work: 1/4 to 4/4 are the same four parts as 0/4 to 3/4.
    """

    index: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read "i/n". Raises ConfigError where it is no such thing."""
        index, slash, of = text.partition("/")
        if not (slash and index.isdecimal() and of.isdecimal() and int(of) >= 1 and int(index) <= int(of)):
            raise ConfigError(f"--part {text} makes no sense: write i/n, for example 1/4 for the first of four parts.")
        return cls(int(index), int(of))

    def has(self, number: int) -> bool:
        """Whether chunk `number` is this part's."""
        return number % self.of == self.index % self.of


class Options(TypedDict, total=False):
    """How `encode` works, which is the same for all parts of a job; see there."""

    batch_size: int
    device: str
    workers: int | None
    shard_size: int
    retry: bool
    exact: bool
    thumbnail: int | None


@dataclass(frozen=True)
class EncodeReport:
    """What a job found and did; the counts are of this part, over this and earlier runs."""

    items: int
    encoded: int
    failed: int
    new: int  # items encoded or failed in this run


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
    batch_size: int = 32,
    device: str = "auto",
    workers: int | None = None,
    shard_size: int = 1024,
    retry: bool = False,
    exact: bool = False,
    view: View = whole,
    thumbnail: int | None = SIDE,
    progress: Progress = QUIET,
) -> EncodeReport:
    """Encode the items of `source` that belong to `part` into shards in `out`; finished shards are kept.

    A shard is finished if it is there and was made from the same listing by the same encoder. `retry` tries the failed
    items of finished shards again. `view` is what is looked at of each picture: all of it, but for training. `exact`
    computes in float32 on a CPU, also where bfloat16 is faster and the vectors agree (see `agreement`).
    `thumbnail` is the longest side of the thumbnails kept, 0 keeps a hash of each picture alone, and None, for what is
    never shown, not even that. Raises SourceError for a source without items, ShardError where `out` belongs to another
    job or cannot be written.
    """
    model = load_model(encoder, device=device)
    if not (exact or source.captions):
        model = low_precision_if_equal(model)
    job = job_of(
        encoder,
        model,
        root=str(source.root),
        source=source.name,
        captions=source.captions,
        shard_size=shard_size,
        thumbnail=thumbnail,
    )
    check(out, job)
    plan = _plan(source, out, part, job, retry)
    claim(out, job, encoder)
    progress.plan(total=plan.items, done=plan.items - plan.left)
    # A view cuts pieces out of a picture, which want all the pixels that there are.
    kept = min_side(model, thumbnail=thumbnail) if view is whole else None
    prepare_item = partial(prepare, model, view=view, thumbnail=thumbnail, least=kept)
    with batch_encoder(
        model, prepare_item, workers=workers, batch_size=batch_size, feature_dim=job.feature_dim, progress=progress
    ) as work:
        todo = (c for c in chunks(source.items(), shard_size=shard_size) if c.number in plan.todo)
        for number, table_, failures in work.encode(todo):
            shards.write(out, number, table_, listing=plan.listings[number], failures=failures)
        if plan.again:
            _retry(work, source, out, plan, shard_size)
    _drop_stale(out, part, plan)
    write_failures(out)
    return _report(out, plan)


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
        raise SourceError(f"There is nothing to encode in {source.root / source.name}: no {what} were found.")
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
                shard = Shard(number, out / shards.name(number))
                merged = _in_order(chunk, [shard.table(), rows])
                shards.write(out, number, merged, listing=plan.listings[number], failures=failures)


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
    remove_leftovers(out, {*map(shards.name, plan.listings), *common})


def _report(out: Path, plan: _EncodePlan) -> EncodeReport:
    mine = [shard for shard in finished_shards(out) if shard.number in plan.listings]
    failed = sum(len(shard.failures()) for shard in mine)
    return EncodeReport(plan.items, sum(shard.rows() for shard in mine), failed, plan.left)
