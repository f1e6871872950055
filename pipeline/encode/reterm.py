"""Encodes shards again with another encoder, from their stored features, without decoding images.

A new head, vocabulary or projection needs only the features in the shards. The result is identical to what
`lexel encode` with the new encoder would have written, so that either command can continue the other's folder.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import Encoded, Model, load_model
from lexel.pipeline.collection.near_duplicates import near_names
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.encode.workers import NO_NUMBER
from lexel.pipeline.errors import ShardError
from lexel.pipeline.images.preview import PreviewOptions
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards import job as jobs
from lexel.pipeline.shards.folder import ShardFolder, remove_leftovers, stored_shards, write_failures
from lexel.pipeline.shards.job import Job
from lexel.pipeline.shards.ledger import EntryStatus, Ledger, shard_entries, together
from lexel.pipeline.shards.ledger_file import write_ledger
from lexel.pipeline.shards.ledger_index import by_key
from lexel.pipeline.shards.shard import Failure, Shard, shard_name, write_shard
from lexel.pipeline.shards.table import encoded_again, matrix


def reterm_shards(
    folder: Path,
    out: Path,
    *,
    encoder: Encoder,
    batch_size: int = 32,
    device: str = "auto",
    progress: Progress = QUIET,
) -> EncodeReport:
    """Write the shards of `folder` to `out` with the terms and vectors of `encoder`; finished ones are kept.

    Images need an encoder with the same image features; texts are encoded again by any encoder. Failed items stay
    failed. Raises ShardError if the features are of another encoder, or if `out` belongs to another job.
    """
    opened = ShardFolder.open(folder)
    there, todo = opened.job, opened.shards
    if out.resolve() == folder.resolve():
        raise ShardError(f"{folder} would be overwritten; give another folder with --out.")
    _check_features(folder, there, encoder)
    model = load_model(encoder, device=device)
    job = jobs.job_of(
        encoder,
        (model.dim, model.feature_dim),
        root=there.root,
        source=there.source,
        captions=there.captions,
        shard_size=there.shard_size,
        preview=PreviewOptions(there.thumbnail),
        exif=there.exif,
    )
    if job.feature_dim != there.feature_dim:
        raise _other_features(folder, there, encoder)
    jobs.check(out, job)
    jobs.make_folder(out)
    jobs.claim(out, job, encoder)
    listings = {shard.number: jobs.listing(job, _digest(shard, there)) for shard in todo}
    left = [s for s in todo if not Shard(s.number, out / shard_name(s.number)).holds(listings[s.number])]
    total, new = opened.rows + len(opened.ledger.failures), sum(shard.rows() for shard in left)
    progress.plan(total=total, done=total - new)
    for shard in left:
        table, failures = _again(shard, model, job, batch_size, progress)
        write_shard(out, shard.number, table, listing=listings[shard.number], failures=failures)
    ledger = _ledger(out, opened, listings)
    write_ledger(out, ledger)
    for stale in stored_shards(out):
        if stale.number not in listings:
            stale.path.unlink()
    remove_leftovers(out, {*(shard_name(shard.number) for shard in todo), "ledger.parquet"})
    failed = write_failures(out, ledger)
    return EncodeReport(total, total - failed, failed, new)


def default_output(folder: Path, encoder: Encoder) -> Path:
    """The default output folder: "shards" -> "shards-NAME", with the encoder's name."""
    place, name = folder.resolve(), re.sub(r"[^\w.-]+", "-", encoder.name)
    return place.with_name(f"{place.name}-{name}")


def _check_features(folder: Path, there: Job, encoder: Encoder) -> None:
    """Texts need no features. Shards of older versions, without a features id, need the encoder that made them."""
    same = there.features_id == encoder.features_id if there.features_id else there.fingerprint == encoder.fingerprint
    if not (there.captions or same):
        raise _other_features(folder, there, encoder)


def _other_features(folder: Path, there: Job, encoder: Encoder) -> ShardError:
    return ShardError(
        f"{encoder.name} cannot use the features in {folder}, which were made by {there.name}; "
        f"run `lexel encode` with --encoder {encoder.ref}."
    )


def _digest(shard: Shard, there: Job) -> str:
    """The digest of what the shard was made from, and of which of its rows are alive."""
    made_by, dash, digest = shard.listing().partition("-")
    if made_by != there.fingerprint or not (dash and digest):
        raise ShardError(f"{shard.path} does not belong to the job in job.json; run its `lexel encode` command again.")
    if shard.alive is None or len(shard.alive) == shard.stored_rows():
        return digest
    return hashlib.blake2b(digest.encode() + shard.alive.tobytes(), digest_size=16).hexdigest()


def _ledger(out: Path, opened: ShardFolder, listings: Mapping[int, str]) -> Ledger:
    """The ledger of the new shards. What failed stays failed."""
    made = [Shard(number, out / shard_name(number)) for number in listings]
    there = opened.ledger.where(opened.ledger.status == EntryStatus.FAILED)
    found = replace(there, listings={}, generation=opened.ledger.generation or 1, index=0, of=1)
    for entries, named in together((one.number, one.listing(), shard_entries(one, found.generation)) for one in made):
        found = found.with_entries(entries, named)
    found = _with_states(found, opened.ledger)
    return found.with_column("near", near_names(found, made))


def _with_states(ledger: Ledger, there: Ledger) -> Ledger:
    """The ledger with what another one says of the files: it may know better than the shards."""
    entries = by_key(there).find(ledger.entries["key"].to_pylist())
    known = entries >= 0
    for name in ("size", "changed", "content"):
        values = there.entries[name].take(pa.array(np.where(known, entries, 0)))
        ledger = ledger.with_column(name, pc.if_else(pa.array(known), values, ledger.entries[name]))
    return ledger


def _again(shard: Shard, model: Model, job: Job, batch_size: int, progress: Progress) -> tuple[pa.Table, list[Failure]]:
    """The shard's table with the terms and vectors that `model` makes of its rows, and what fails or had failed."""
    table, parts = shard.table().combine_chunks(), list[Encoded]()
    given: Sequence[str] | npt.NDArray[Any] = table["text"].to_pylist() if job.captions else _features(table, job)
    # The same batches as in `lexel encode`: the rounding of a matrix product depends on its number of rows.
    for start in range(0, table.num_rows, batch_size):
        some = given[start : start + batch_size]
        parts.append(model.of_features(some) if isinstance(some, np.ndarray) else model.texts(some))
        progress.advance(encoded=len(some), failed=0)
    terms, vectors = [t for part in parts for t in part.terms], [v for part in parts for v in part.vectors]
    made = encoded_again(table, terms, vectors, dim=job.dim, feature_dim=job.feature_dim)
    known = np.array([np.isfinite(vector).all() for vector in vectors], bool)
    unknown = made.filter(pa.array(~known)).select(["id", "uri", "key"]).to_pylist()
    failures = [Failure(row["id"], row["uri"], NO_NUMBER, (row.get("key") or b"").hex()) for row in unknown]
    return (made.filter(pa.array(known)) if unknown else made), failures


def _features(table: pa.Table, job: Job) -> npt.NDArray[Any]:
    """The rows' features [N, F]; their vectors if the head reads those."""
    return matrix(table["features" if job.feature_dim else "vector"])
