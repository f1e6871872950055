"""Encoded items on disk: a folder of Parquet files, one a chunk, and what made them.

job.json            the encoder, the source and the shard size; a second job with others is refused
vocabulary.json     the encoder's words, so that loading needs no encoder
shard-00000.parquet a chunk's items; its footer holds the chunk's listing hash and the items that failed
failures.parquet    all failed items (id, uri, reason), gathered from the footers
"""

import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ShardError

FORMAT = 1
# What every shard has had since the first.
_ALWAYS = frozenset(["id", "uri", "text", "captions", "label", "metadata", "width", "height", "terms", "vector"])
_LISTING, _FAILURES = b"lexel.listing", b"lexel.failures"


@dataclass(frozen=True)
class Job:
    """What a folder of shards was made from and with; written once, before the first shard."""

    encoder: str
    name: str
    fingerprint: str
    vocabulary: str  # its hash
    dim: int
    feature_dim: int | None
    vector_weight: Mapping[str, float]  # of a hybrid query, by its side: "text", "image"
    root: str  # the folder that uris are relative to, on the machine that encoded
    captions: bool  # whether the items are the source's captions
    shard_size: int
    source: str = ""  # the manifest or tar in `root`; empty for the folder itself
    features_id: str = ""  # see Encoder.features_id; other words can be made of equal features
    thumbnail: int = 0  # the longest side of the thumbnails; 0 where there are none
    format: int = FORMAT


@dataclass(frozen=True)
class Failure:
    """An item that could not be encoded; `id` is None where its bytes could not be read."""

    id: str | None
    uri: str
    reason: str


class _Footer(NamedTuple):
    """What the end of a shard's file says."""

    rows: int
    listing: str
    failures: bytes
    columns: frozenset[str]
    dim: int | None  # of its vectors


@dataclass(frozen=True)
class Shard:
    """A finished shard on disk."""

    number: int
    path: Path

    def listing(self) -> str:
        """The hash of the listing it was made from."""
        return self._footer.listing

    def check(self, job: Job) -> None:
        """Raise ShardError where it is not a whole shard of `job`: half a file, a foreign one, another encoder's."""
        if _ALWAYS - self._footer.columns or self._footer.dim != job.dim:
            why = "it is not a shard"
        elif not self.listing().startswith(f"{job.fingerprint}-"):
            why = "another encoder made it"
        else:
            return
        raise ShardError(f"{self.path} does not belong here ({why}); delete it and encode again to make it anew.")

    def failures(self) -> list[Failure]:
        """The items of its chunk that failed."""
        return [Failure(**row) for row in json.loads(self._footer.failures)]

    def holds(self, listing: str) -> bool:
        """Whether this is a whole shard of exactly that listing; a broken or foreign file is not."""
        try:
            return self.listing() == listing
        except ShardError:
            return False

    def table(self) -> pa.Table:
        """All its items."""
        with _opened(self.path) as file:
            return file.read()

    def rows(self) -> int:
        """How many items it holds."""
        return self._footer.rows

    def sizes(self) -> dict[str, int]:
        """Bytes that each column takes in the file."""
        about, found = _metadata(self.path), dict[str, int]()
        for group in (about.row_group(i) for i in range(about.num_row_groups)):
            for column in (group.column(i) for i in range(group.num_columns)):
                name = column.path_in_schema.partition(".")[0]
                found[name] = found.get(name, 0) + int(column.total_compressed_size)
        return found

    def batches(self, *, columns: Sequence[str] | None = None, size: int = 512) -> Iterator[pa.RecordBatch]:
        """Its items, `size` at a time."""
        with _opened(self.path) as file:
            yield from file.iter_batches(batch_size=size, columns=columns)

    @cached_property
    def _footer(self) -> _Footer:
        """Read once: a job asks several times, and the file may be on another machine."""
        with _opened(self.path) as file:
            about = file.metadata.metadata or {}
            listing = about.get(_LISTING, b"").decode(errors="replace")
            columns, dim = frozenset(file.schema_arrow.names), None
            if "vector" in columns:
                dim = getattr(file.schema_arrow.field("vector").type, "list_size", None)
            return _Footer(file.metadata.num_rows, listing, about.get(_FAILURES, b"[]"), columns, dim)


def schema(*, dim: int, feature_dim: int | None) -> pa.Schema:
    """The columns of a shard, for vectors [dim] and, where the head reads something else, features [feature_dim]."""
    fields = [
        ("id", pa.string()), ("uri", pa.string()), ("text", pa.string()), ("captions", pa.list_(pa.string())),
        ("label", pa.string()), ("metadata", pa.string()), ("width", pa.int32()), ("height", pa.int32()),
        ("thumbnail", pa.binary()), ("phash", pa.int64()), ("waves", pa.binary(64)),
        ("terms", pa.map_(pa.string(), pa.float32())), ("vector", pa.list_(pa.float32(), dim)),
    ]  # fmt: skip
    return pa.schema(fields + ([("features", pa.list_(pa.float16(), feature_dim))] if feature_dim else []))


def name(number: int) -> str:
    """The file name of shard `number`."""
    return f"shard-{number:05d}.parquet"


def shards(folder: Path) -> list[Shard]:
    """The finished shards of a folder, in order. A file with another name, such as a copy, is none."""
    numbers = (_number(path) for path in folder.glob("shard-*.parquet"))
    return [Shard(number, folder / name(number)) for number in sorted(n for n in numbers if n is not None)]


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("shard-")
    return int(digits) if digits.isdecimal() and path.name == name(int(digits)) else None


def write(folder: Path, number: int, table: pa.Table, *, listing: str, failures: Sequence[Failure]) -> Shard:
    """Write one shard so that it is either whole or not there."""
    footer = {
        _LISTING: listing.encode(),
        _FAILURES: json.dumps([asdict(f) for f in failures], ensure_ascii=False).encode(),
    }
    path = folder / name(number)
    _write_parquet(path, table.replace_schema_metadata(footer))
    return Shard(number, path)


def write_failures(folder: Path) -> int:
    """Gather the failures of all shards into failures.parquet; none leave no file. Returns how many there are."""
    rows = [asdict(failure) for shard in shards(folder) for failure in shard.failures()]
    path = folder / "failures.parquet"
    if rows:
        columns = pa.schema([("id", pa.string()), ("uri", pa.string()), ("reason", pa.string())])
        _write_parquet(path, pa.Table.from_pylist(rows, schema=columns))
    else:
        path.unlink(missing_ok=True)
    return len(rows)


def read_job(folder: Path) -> Job:
    """What made the shards in `folder`. Raises ShardError where it holds none."""
    try:
        table = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        if table.get("format") != FORMAT:
            raise ShardError(
                f"{folder} has shards of format {table.get('format')!r}; this lexel reads format {FORMAT}."
            )
        return Job(**table)
    except FileNotFoundError as error:
        raise ShardError(f"{folder} holds no shards: `lexel encode SOURCE {folder}` makes them.") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ShardError(f"{folder / 'job.json'} cannot be read ({error}); encode into another folder.") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file so that it is either the old one or the new one, even after a crash."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_job(folder: Path, job: Job) -> None:
    """Write job.json."""
    write_atomically(folder / "job.json", (json.dumps(asdict(job), indent=1, ensure_ascii=False) + "\n").encode())


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """Write vocabulary.json."""
    with replacing(folder / "vocabulary.json") as temporary:
        vocabulary.save(temporary)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove what killed jobs left half-written of the files with these names."""
    for path in folder.glob(".*.tmp"):
        if path.name[1:].rsplit(".", 2)[0] in names:
            path.unlink(missing_ok=True)


def _write_parquet(path: Path, table: pa.Table) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write. When it is whole it takes the place of `path`; if it never becomes so, it is gone."""
    # Not the process id, which two machines can share, and two containers nearly always do.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise ShardError(
            f"{path} cannot be written ({reason}); put that right and give the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # on a full disk, half of a file would only be in the way
    _sync(path.parent)  # the rename itself must survive a power cut


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path} is not a whole Parquet file; delete it and encode again to make it anew.") from error


def _metadata(path: Path) -> Any:
    with _opened(path) as file:
        return file.metadata
