"""Whose a folder of shards is: what a job writes down before its first shard, and what makes it refuse a folder."""

from pathlib import Path

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import Model
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards import shard
from lexel.pipeline.shards.shard import Job
from lexel.pipeline.sources.item import readable


def job_of(
    encoder: Encoder, model: Model, *, root: str, source: str, captions: bool, shard_size: int, thumbnail: int | None
) -> Job:
    """The job of encoding `source` in `root` by `encoder`, whose networks are `model`."""
    return Job(
        encoder=encoder.ref,
        name=encoder.name,
        fingerprint=encoder.fingerprint,
        vocabulary=encoder.vocabulary.hash,
        dim=model.dim,
        feature_dim=None if captions else model.feature_dim,
        vector_weight={side: encoder.vector_weight(side) for side in ("text", "image")},
        root=readable(root),
        captions=captions,
        shard_size=shard_size,
        source=readable(source),
        features_id=encoder.features_id,
        thumbnail=0 if captions else thumbnail or 0,
    )


def listing(job: Job, digest: str) -> str:
    """What names a shard's content: the encoder, and the digest of the chunk that the source lists."""
    return f"{job.fingerprint}-{digest}"


def check(out: Path, job: Job) -> None:
    """Make sure that `out` is new, or was made by the same encoder with the same options. Raises ShardError."""
    if not (out / "job.json").exists():
        return
    there = shard.read_job(out)
    if there.fingerprint != job.fingerprint:
        raise ShardError(
            f"{out} holds shards of the encoder {there.name} ({there.fingerprint}), "
            f"not {job.name} ({job.fingerprint}); encode into another folder."
        )
    if (there.captions, there.shard_size) != (job.captions, job.shard_size):
        what = "captions" if there.captions else "pictures"
        raise ShardError(
            f"{out} holds {what} in shards of {there.shard_size}; give the same options, or another folder."
        )
    if there.thumbnail != job.thumbnail:
        have = f"thumbnails of {there.thumbnail} pixels" if there.thumbnail else "no thumbnails"
        raise ShardError(
            f"{out} holds pictures with {have}, not {job.thumbnail or 'without'}; "
            f"give --thumbnail {there.thumbnail}, or another folder."
        )


def claim(out: Path, job: Job, encoder: Encoder) -> None:
    """Make `out` this job's. Raises ShardError where it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ShardError(f"{out} cannot be made a folder for shards: {error.strerror}.") from error
    shard.write_vocabulary(out, encoder.vocabulary)
    shard.write_job(out, job)
