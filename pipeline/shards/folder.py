"""A folder of shards: opened and checked at once; its list of failures; clean-up."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.job import Job, read_job
from lexel.pipeline.shards.shard import Shard, shard_name, write_parquet


@dataclass(frozen=True)
class ShardFolder:
    """The finished shards in `path`, in order, with the job that made them and its vocabulary."""

    path: Path
    job: Job
    vocabulary: Vocabulary
    shards: tuple[Shard, ...]

    @classmethod
    def open(cls, path: Path) -> "ShardFolder":
        """Open and check a folder. Raises ShardError if it has no shards, or shards or a vocabulary of another job."""
        job, shards = read_job(path), finished_shards(path)
        if not shards:
            raise ShardError(f"{path} holds no finished shards yet: run its `lexel encode` command again.")
        for shard in shards:
            shard.check(job)
        vocabulary = Vocabulary.load(path / "vocabulary.json")
        if vocabulary.hash != job.vocabulary:
            raise ShardError(f"{path / 'vocabulary.json'} was changed after encoding; restore it, or encode again.")
        return cls(path, job, vocabulary, tuple(shards))

    @property
    def rows(self) -> int:
        """The number of items in all shards."""
        return sum(shard.rows() for shard in self.shards)

    def batches(self, *, columns: Sequence[str], size: int = 512) -> Iterator[pa.RecordBatch]:
        """Yield the items of all shards in batches of at most `size`."""
        for shard in self.shards:
            yield from shard.batches(columns=columns, size=size)


def finished_shards(folder: Path) -> list[Shard]:
    """The finished shards of a folder, in order; files with other names, such as copies, are ignored."""
    numbers = (_number(path) for path in folder.glob("shard-*.parquet"))
    return [Shard(number, folder / shard_name(number)) for number in sorted(n for n in numbers if n is not None)]


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("shard-")
    return int(digits) if digits.isdecimal() and path.name == shard_name(int(digits)) else None


def write_failures(folder: Path) -> int:
    """Write the failures of all shards to failures.parquet, or remove it if there are none; returns their number."""
    rows = [asdict(failure) for shard in finished_shards(folder) for failure in shard.failures()]
    path = folder / "failures.parquet"
    if rows:
        columns = pa.schema([("id", pa.string()), ("uri", pa.string()), ("reason", pa.string())])
        write_parquet(path, pa.Table.from_pylist(rows, schema=columns))
    else:
        path.unlink(missing_ok=True)
    return len(rows)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove the temporary files that killed jobs left of the files with these names."""
    for path in folder.glob(".*.tmp"):
        if path.name[1:].rsplit(".", 2)[0] in names:
            path.unlink(missing_ok=True)
