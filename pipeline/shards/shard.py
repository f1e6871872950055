"""One shard: the items of a chunk as a Parquet file, written atomically."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lexel.pipeline.atomic import replacing_file
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.job import Job
from lexel.pipeline.sources.item import FileState, Item
from lexel.pipeline.timings import timed

# The columns that shards of all versions have.
_ALWAYS = frozenset(["id", "uri", "text", "captions", "label", "metadata", "width", "height", "terms", "vector"])
# How the reason of a failure begins that is of the disk or the network, and not of what is in the file.
UNREADABLE = "unreadable"

Rows = npt.NDArray[np.int64]
_LISTING, _FAILURES = b"lexel.listing", b"lexel.failures"


@dataclass(frozen=True)
class Failure:
    """An item that could not be encoded; `id` is None if its bytes could not be read.

    `key`, in hexadecimal digits, `described` and the state of its file say when it is to be tried again.
    """

    id: str | None
    uri: str
    reason: str
    key: str = field(default="", compare=False)
    described: int | None = field(default=None, compare=False)
    size: int | None = field(default=None, compare=False)
    changed: int | None = field(default=None, compare=False)

    @property
    def unreadable(self) -> bool:
        """Whether it may pass by itself: the file itself was never seen."""
        return self.reason.startswith(UNREADABLE)

    @classmethod
    def of(cls, item: Item, id_: str | None, reason: str, state: FileState | None) -> "Failure":
        """The failure of `item`, whose file was in `state`."""
        size, changed = state or (None, None)
        return cls(id_, item.uri, reason, item.key().hex(), item.described(), size, changed)


class _Footer(NamedTuple):
    """The metadata in the footer of a shard's file."""

    rows: int
    listing: str
    failures: bytes
    columns: frozenset[str]
    dim: int | None  # of its vectors


@dataclass(frozen=True)
class Shard:
    """A finished shard on disk. Of its rows only those in `alive` are read, which are ascending; None for all."""

    number: int
    path: Path
    alive: Rows | None = field(default=None, compare=False)

    def listing(self) -> str:
        """The string that identifies its content; see `job.listing`."""
        return self._footer.listing

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns, which are fewer in older versions."""
        return self._footer.columns

    def check(self, job: Job) -> None:
        """Raise ShardError if it is not a complete shard of `job`: truncated, another file, or of another encoder."""
        if _ALWAYS - self._footer.columns or self._footer.dim != job.dim:
            why = "it is not a shard"
        elif not self.listing().startswith(f"{job.fingerprint}-"):
            why = "another encoder made it"
        else:
            return
        raise ShardError(f"{self.path} does not belong here ({why}); delete it and encode again.")

    def failures(self) -> list[Failure]:
        """The items of its chunk that failed."""
        return [Failure(**row) for row in json.loads(self._footer.failures)]

    def holds(self, listing: str) -> bool:
        """Whether this is a complete shard with exactly that listing."""
        try:
            return self.listing() == listing
        except ShardError:
            return False

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All its items as a table, with those of `columns` that it has."""
        with _opened(self.path) as file:
            found = file.read(columns=columns and [name for name in columns if name in self._footer.columns])
        return found if self.alive is None else found.take(self.alive)

    def rows(self) -> int:
        """The number of its items."""
        return self.stored_rows() if self.alive is None else len(self.alive)

    def stored_rows(self) -> int:
        """The number of rows in its file."""
        return self._footer.rows

    def sizes(self) -> dict[str, int]:
        """The compressed size of each column in bytes."""
        about, found = _metadata(self.path), dict[str, int]()
        for group in (about.row_group(i) for i in range(about.num_row_groups)):
            for column in (group.column(i) for i in range(group.num_columns)):
                name = column.path_in_schema.partition(".")[0]
                found[name] = found.get(name, 0) + int(column.total_compressed_size)
        return found

    def batches(self, *, columns: Sequence[str] | None = None, size: int = 512) -> Iterator[pa.RecordBatch]:
        """Yield its items in batches of at most `size`."""
        row = 0
        with _opened(self.path) as file:
            for batch in file.iter_batches(batch_size=size, columns=columns):
                some = self._of(batch, row)
                row += batch.num_rows
                if some.num_rows:
                    yield some

    def _of(self, batch: pa.RecordBatch, row: int) -> pa.RecordBatch:
        """Those of the rows from `row` on that are alive."""
        if self.alive is None:
            return batch
        first, last = np.searchsorted(self.alive, [row, row + batch.num_rows])
        return batch if last - first == batch.num_rows else batch.take(pa.array(self.alive[first:last] - row))

    @cached_property
    def _footer(self) -> _Footer:
        """Read once, since the file may be on network storage."""
        with _opened(self.path) as file:
            about = file.metadata.metadata or {}
            listing = about.get(_LISTING, b"").decode(errors="replace")
            columns, dim = frozenset(file.schema_arrow.names), None
            if "vector" in columns:
                dim = getattr(file.schema_arrow.field("vector").type, "list_size", None)
            return _Footer(file.metadata.num_rows, listing, about.get(_FAILURES, b"[]"), columns, dim)


def shard_name(number: int) -> str:
    """The file name of shard `number`."""
    return f"shard-{number:05d}.parquet"


def write_shard(folder: Path, number: int, table: pa.Table, *, listing: str, failures: Sequence[Failure]) -> Shard:
    """Write one shard, atomically. Raises WriteError if it cannot be written."""
    footer = {
        _LISTING: listing.encode(),
        _FAILURES: json.dumps([asdict(f) for f in failures], ensure_ascii=False).encode(),
    }
    path = folder / shard_name(number)
    write_parquet(path, table.replace_schema_metadata(footer))
    return Shard(number, path)


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as a Parquet file with checksums, atomically. Raises WriteError if it cannot be written."""
    with timed("writing"), replacing_file(path) as temporary, temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path} is not a complete Parquet file; delete it and encode again.") from error


def _metadata(path: Path) -> Any:
    with _opened(path) as file:
        return file.metadata
