"""A folder of shards: opened and checked at once; its list of failures; clean-up."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lexel.encoders.vocabulary.near_words import NEAR_WORDS, NearWords
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.job import Job, read_job
from lexel.pipeline.shards.ledger import Ledger, shard_entries, together
from lexel.pipeline.shards.ledger_file import read_ledger
from lexel.pipeline.shards.shard import Shard, shard_name, write_parquet


@dataclass(frozen=True)
class ShardFolder:
    """The finished shards in `path`, in order, with the job that made them, its vocabulary and its ledger."""

    path: Path
    job: Job
    vocabulary: Vocabulary
    shards: tuple[Shard, ...]
    ledger: Ledger

    @classmethod
    def open(cls, path: Path) -> "ShardFolder":
        """Open and check a folder. Raises ShardError if it has no shards, or shards or a vocabulary of another job."""
        job, ledger = read_job(path), read_ledger(path)
        shards = _shards(path, ledger)
        if not shards:
            raise ShardError(f"{path} holds no finished shards yet: run its `lexel encode` command again.")
        for shard in shards:
            shard.check(job)
        vocabulary = Vocabulary.load(path / "vocabulary.json")
        if vocabulary.hash != job.vocabulary:
            raise ShardError(f"{path / 'vocabulary.json'} was changed after encoding; restore it, or encode again.")
        if ledger is None:  # of an older version, or of a job that has not ended
            ledger = ledger_of(shards)
        return cls(path, job, vocabulary, tuple(shards), ledger)

    @cached_property
    def near_words(self) -> NearWords:
        """Words without a term, and the terms nearest to them; none in a folder that an older lexel wrote."""
        return NearWords.load(self.path / NEAR_WORDS)

    @property
    def rows(self) -> int:
        """The number of items in all shards."""
        return sum(shard.rows() for shard in self.shards)

    def batches(self, *, columns: Sequence[str], size: int = 512) -> Iterator[pa.RecordBatch]:
        """Yield the items of all shards in batches of at most `size`."""
        for shard in self.shards:
            yield from shard.batches(columns=columns, size=size)


def finished_shards(folder: Path) -> list[Shard]:
    """The finished shards of a folder, in order, with the rows that its ledger calls alive; all, where it has none."""
    return _shards(folder, read_ledger(folder))


def stored_shards(folder: Path) -> list[Shard]:
    """The files of a folder as shards with all their rows; those with other names, such as copies, are ignored."""
    numbers = (_number(path) for path in folder.glob("shard-*.parquet"))
    return [Shard(number, folder / shard_name(number)) for number in sorted(n for n in numbers if n is not None)]


def ledger_of(shards: Iterable[Shard]) -> Ledger:
    """The ledger of whole shards: where several hold an item, the last one does."""
    found = Ledger()
    for entries, listings in together((shard.number, shard.listing(), shard_entries(shard, 0)) for shard in shards):
        found = found.with_entries(entries, listings)
    return found


def _shards(folder: Path, ledger: Ledger | None) -> list[Shard]:
    there = stored_shards(folder)
    if ledger is None:
        return there
    alive, none = ledger.alive(), np.zeros(0, np.int64)
    return [replace(s, alive=alive.get(s.number, none)) for s in there if s.number in ledger.listings]


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("shard-")
    return int(digits) if digits.isdecimal() and path.name == shard_name(int(digits)) else None


def write_failures(folder: Path, ledger: Ledger | None = None) -> int:
    """Write the failures of a folder to failures.parquet, or remove it if there are none; returns their number."""
    known = ledger or read_ledger(folder) or ledger_of(stored_shards(folder))
    rows = [{"id": one.id, "uri": one.uri, "reason": one.reason} for one in known.failures]
    path = folder / "failures.parquet"
    if not rows:
        path.unlink(missing_ok=True)
    elif _list(path) != rows:
        columns = pa.schema([("id", pa.string()), ("uri", pa.string()), ("reason", pa.string())])
        write_parquet(path, pa.Table.from_pylist(rows, schema=columns))
    return len(rows)


def _list(path: Path) -> list[dict[str, str | None]]:
    """What a list of failures says; nothing if there is none that can be read."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found: list[dict[str, str | None]] = file.read().to_pylist()
    except (OSError, pa.ArrowException):
        return []
    return found


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove the temporary files that killed jobs left of the files with these names."""
    for path in folder.glob(".*.tmp"):
        if path.name[1:].rsplit(".", 2)[0] in names:
            path.unlink(missing_ok=True)
