"""A job: the encoder, source and options that a folder of shards was made with. Checks and claims folders."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.near_words import NEAR_WORDS
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.atomic import replacing_file, write_atomically
from lexel.pipeline.errors import ShardError
from lexel.pipeline.images.preview import PreviewOptions
from lexel.pipeline.sources.item import readable

if TYPE_CHECKING:  # for annotations only: a search must not import encoders
    from lexel.encoders.encoder import Encoder

FORMAT = 1


@dataclass(frozen=True)
class Job:
    """The contents of job.json, written before the first shard."""

    encoder: str
    name: str
    fingerprint: str
    vocabulary: str  # its hash
    dim: int
    feature_dim: int | None
    vector_weight: Mapping[str, float]  # of hybrid queries, for "text" and "image" queries
    root: str  # the folder that uris are relative to, on the machine that encoded
    captions: bool  # whether the items are the captions of the source
    shard_size: int
    source: str = ""  # the manifest or tar in `root`; empty for the folder itself
    features_id: str = ""  # see Encoder.features_id; `reterm` needs equal ones
    thumbnail: int = 0  # longest side of the thumbnails in pixels, 0 for none
    exif: bool | None = None  # whether what is written in pictures' files was read; None for an older lexel's job
    format: int = FORMAT


def job_of(
    encoder: "Encoder",
    sizes: tuple[int, int | None],
    *,
    root: str,
    source: str,
    captions: bool,
    shard_size: int,
    preview: PreviewOptions | None,
    exif: bool | None,
) -> Job:
    """The job of encoding `source` in `root` with `encoder`; `sizes` are those of its vectors and its features."""
    return Job(
        encoder=encoder.ref,
        name=encoder.name,
        fingerprint=encoder.fingerprint,
        vocabulary=encoder.vocabulary.hash,
        dim=sizes[0],
        feature_dim=None if captions else sizes[1],
        vector_weight={side: encoder.vector_weight(side) for side in ("text", "image")},
        root=readable(root),
        captions=captions,
        shard_size=shard_size,
        source=readable(source),
        features_id=encoder.features_id,
        thumbnail=0 if captions or preview is None else preview.side,
        exif=exif and not captions,
    )


def as_begun(out: Path, job: Job) -> Job:
    """`job`, but for a folder that an older lexel began, which goes on without what is in pictures' files."""
    old = (out / "job.json").exists() and read_job(out).exif is None
    return replace(job, exif=None) if old else job


def listing(job: Job, digest: str) -> str:
    """The string that identifies the content of a shard: the encoder's fingerprint and the chunk's digest."""
    return f"{job.fingerprint}-{digest}"


def check(out: Path, job: Job) -> None:
    """Raise ShardError if `out` has a job with another encoder or other options."""
    if not (out / "job.json").exists():
        return
    there = read_job(out)
    if there.fingerprint != job.fingerprint:
        raise ShardError(
            f"{out} holds shards of the encoder {there.name} ({there.fingerprint}), "
            f"not {job.name} ({job.fingerprint}); encode into another folder."
        )
    if there.captions != job.captions:
        what = "captions" if there.captions else "images"
        raise ShardError(f"{out} holds {what}; give the same options, or another folder.")
    if there.thumbnail != job.thumbnail:
        have = f"thumbnails of {there.thumbnail} pixels" if there.thumbnail else "no thumbnails"
        raise ShardError(
            f"{out} holds images with {have}, not {job.thumbnail or 'without'}; "
            f"give --thumbnail {there.thumbnail}, or another folder."
        )
    if there.exif != job.exif:
        have, option = ("with", "leave out") if there.exif else ("without", "give")
        raise ShardError(
            f"{out} holds images {have} what cameras and people wrote into them; {option} --no-exif, or encode into "
            "another folder."
        )


def make_folder(out: Path) -> None:
    """Create `out`. Raises ShardError if it cannot be created."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ShardError(f"{out} cannot be created as a folder for shards: {error.strerror}.") from error


def claim(out: Path, job: Job, encoder: "Encoder") -> None:
    """Write job.json, vocabulary.json and the encoder's near words, where they say something else."""
    if not _holds(out, encoder.vocabulary):
        write_vocabulary(out, encoder.vocabulary)
    _copy_near_words(encoder.folder / NEAR_WORDS, out / NEAR_WORDS)
    if not _is_job(out, job):
        write_job(out, job)


def _copy_near_words(there: Path, here: Path) -> None:
    if not there.is_file():
        here.unlink(missing_ok=True)
    elif not here.is_file() or here.read_bytes() != there.read_bytes():
        write_atomically(here, there.read_bytes())


def _is_job(folder: Path, job: Job) -> bool:
    try:
        return read_job(folder) == job
    except ShardError:
        return False


def _holds(folder: Path, vocabulary: Vocabulary) -> bool:
    try:
        return Vocabulary.load(folder / "vocabulary.json") == vocabulary
    except EncoderError:
        return False


def read_job(folder: Path) -> Job:
    """The job of `folder`. Raises ShardError if it has none, or one that cannot be read."""
    try:
        table = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        if table.get("format") != FORMAT:
            raise ShardError(
                f"{folder} has shards of format {table.get('format')!r}; this lexel reads format {FORMAT}."
            )
        return Job(**table)
    except NotADirectoryError as error:
        raise ShardError(f"{folder} is a file: give the folder of shards that `lexel encode` made.") from error
    except FileNotFoundError as error:
        raise ShardError(f"{folder} holds no shards: create them with `lexel encode SOURCE {folder}`.") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ShardError(f"{folder / 'job.json'} cannot be read ({error}); encode into another folder.") from error


def write_job(folder: Path, job: Job) -> None:
    """Write job.json."""
    write_atomically(folder / "job.json", (json.dumps(asdict(job), indent=1, ensure_ascii=False) + "\n").encode())


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """Write vocabulary.json."""
    with replacing_file(folder / "vocabulary.json") as temporary:
        vocabulary.save(temporary)
