"""A folder of shards: which there are, their failures, and what is opened together."""

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.job import Job, read_job
from lexel.pipeline.shards.shard import Shard, _write_parquet, name


def opened(folder: Path) -> tuple[Job, Vocabulary, list[Shard]]:
    """The job, vocabulary and shards in `folder`. Raises ShardError where there are none that fit together."""
    job, there = read_job(folder), finished_shards(folder)
    if not there:
        raise ShardError(f"{folder} holds no finished shards yet: give its `lexel encode` command again.")
    vocabulary = Vocabulary.load(folder / "vocabulary.json")
    if vocabulary.hash != job.vocabulary:
        raise ShardError(
            f"{folder / 'vocabulary.json'} was changed after encoding; its shards and words no longer fit together."
        )
    return job, vocabulary, there


def finished_shards(folder: Path) -> list[Shard]:
    """The finished shards of a folder, in order. A file with another name, such as a copy, is none."""
    numbers = (_number(path) for path in folder.glob("shard-*.parquet"))
    return [Shard(number, folder / name(number)) for number in sorted(n for n in numbers if n is not None)]


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("shard-")
    return int(digits) if digits.isdecimal() and path.name == name(int(digits)) else None


def write_failures(folder: Path) -> int:
    """Gather the failures of all shards into failures.parquet; none leave no file. Returns how many there are."""
    rows = [asdict(failure) for shard in finished_shards(folder) for failure in shard.failures()]
    path = folder / "failures.parquet"
    if rows:
        columns = pa.schema([("id", pa.string()), ("uri", pa.string()), ("reason", pa.string())])
        _write_parquet(path, pa.Table.from_pylist(rows, schema=columns))
    else:
        path.unlink(missing_ok=True)
    return len(rows)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove what killed jobs left half-written of the files with these names."""
    for path in folder.glob(".*.tmp"):
        if path.name[1:].rsplit(".", 2)[0] in names:
            path.unlink(missing_ok=True)
