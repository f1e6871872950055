"""Shards on disk: whole or not there, and honest about what they hold."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.making import vocabulary

from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.folder import finished_shards, remove_leftovers, write_failures
from lexel.pipeline.shards.job import Job, read_job, write_job, write_vocabulary
from lexel.pipeline.shards.shard import Failure, Shard, write_shard
from lexel.pipeline.shards.table import Row, schema, table
from lexel.pipeline.sources.item import Item

DIM = 4
JOB = Job(
    encoder="e", name="n", fingerprint="f", vocabulary="v", dim=DIM, feature_dim=3, vector_weight={"text": 1.0},
    root="/photos/zwölf", captions=False, shard_size=10,
)  # fmt: skip


def _rows(count: int) -> list[Row]:
    values = np.random.default_rng(0).normal(size=(count, DIM)).astype(np.float32)
    features = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float16)
    items = [
        Item(f"ü {i}.jpg", captions=("a", "b")[: i % 3], label=None if i % 2 else "x", metadata={"n": i})
        for i in range(count)
    ]
    terms = {"snow": 2.5, "dog": 1.0}
    return [Row(item, f"id{i}", 10 + i, 20, terms, values[i], features[i]) for i, item in enumerate(items)]


def _written(folder: Path, number: int = 0, count: int = 5, failures: tuple[Failure, ...] = ()) -> Shard:
    rows = table(_rows(count), dim=DIM, feature_dim=3)
    return write_shard(folder, number, rows, listing=f"listing-{number}", failures=failures)


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    failures = (Failure(None, "gone.jpg", 'unreadable: é\n"quoted"'), Failure("id", "b.jpg", "truncated"))
    shard = _written(tmp_path, failures=failures)
    assert finished_shards(tmp_path) == [shard]
    assert (shard.number, shard.path.name) == (0, "shard-00000.parquet")
    assert (shard.rows(), shard.listing(), tuple(shard.failures())) == (5, "listing-0", failures)
    assert shard.holds("listing-0")
    assert not shard.holds("listing-1")
    found, wanted = shard.table(), _rows(5)
    assert found["uri"].to_pylist() == [row.item.uri for row in wanted]
    assert found["terms"].to_pylist() == [[("snow", 2.5), ("dog", 1.0)]] * 5
    assert np.array_equal(np.array(found["vector"].to_pylist(), np.float32), np.stack([row.vector for row in wanted]))
    features = [row.features for row in wanted if row.features is not None]
    assert np.array_equal(np.array(found["features"].to_pylist(), np.float16), np.stack(features))
    assert found["captions"].to_pylist() == [list(row.item.captions) for row in wanted]
    assert [json.loads(text) for text in found["metadata"].to_pylist()] == [{"n": i} for i in range(5)]
    assert [batch.num_rows for batch in shard.batches(columns=["id"], size=2)] == [2, 2, 1]


@pytest.mark.parametrize("feature_dim", [None, 3])
def test_a_shard_may_be_empty(tmp_path: Path, feature_dim: int | None) -> None:
    """All of a chunk's pictures can be bad."""
    empty = table([], dim=DIM, feature_dim=feature_dim)
    assert empty.schema.equals(schema(dim=DIM, feature_dim=feature_dim))
    shard = write_shard(tmp_path, 3, empty, listing="l", failures=[Failure(None, "a", "b")])
    assert (shard.rows(), shard.holds("l"), len(shard.failures())) == (0, True, 1)
    assert shard.table().schema.names == empty.schema.names


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = _written(tmp_path).path.read_bytes()
    assert _written(tmp_path).path.read_bytes() == first


def test_only_shards_are_listed_in_order_of_their_number(tmp_path: Path) -> None:
    for number in (100_000, 2, 99_999, 0):
        _written(tmp_path, number)
    for name in ("shard-abc.parquet", "shard-00002 (1).parquet", "shard-1.parquet", ".shard-00004.parquet.x.tmp"):
        (tmp_path / name).write_bytes(b"x")
    assert [shard.number for shard in finished_shards(tmp_path)] == [0, 2, 99_999, 100_000]
    assert finished_shards(tmp_path / "absent") == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"text"])
def test_a_broken_file_holds_nothing(tmp_path: Path, content: bytes) -> None:
    shard = _written(tmp_path)
    shard.path.write_bytes(content)
    assert not shard.holds("listing-0")
    with pytest.raises(ShardError, match="not a complete Parquet file; delete it and encode again"):
        shard.table()


def test_broken_pages_are_told_in_one_sentence(tmp_path: Path) -> None:
    shard = _written(tmp_path, count=400)
    content = bytearray(shard.path.read_bytes())
    content[10:2000] = b"\xff" * 1990
    shard.path.write_bytes(content)
    with pytest.raises(ShardError, match="not a complete Parquet file"):
        list(shard.batches())


def test_a_foreign_parquet_file_holds_nothing(tmp_path: Path) -> None:
    pq.write_table(table(_rows(2), dim=DIM, feature_dim=3), tmp_path / "shard-00000.parquet")
    (shard,) = finished_shards(tmp_path)
    assert not shard.holds("listing-0")


def test_failures_are_gathered(tmp_path: Path) -> None:
    _written(tmp_path, 1, failures=(Failure("i", "b.jpg", "second"),))
    _written(tmp_path, 0, failures=(Failure(None, "a.jpg", "first"),))
    assert write_failures(tmp_path) == 2
    path = tmp_path / "failures.parquet"
    assert pq.read_table(path).to_pylist() == [
        {"id": None, "uri": "a.jpg", "reason": "first"},
        {"id": "i", "uri": "b.jpg", "reason": "second"},
    ]
    for number in (0, 1):
        _written(tmp_path, number)
    assert write_failures(tmp_path) == 0
    assert not path.exists()


def test_a_job_is_read_back(tmp_path: Path) -> None:
    write_job(tmp_path, JOB)
    assert read_job(tmp_path) == JOB
    assert json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))["root"] == "/photos/zwölf"
    assert read_job(tmp_path) != replace(JOB, source="m.csv")


def test_a_job_from_before_sources_were_named(tmp_path: Path) -> None:
    older = {name: value for name, value in asdict(JOB).items() if name != "source"}
    (tmp_path / "job.json").write_text(json.dumps(older))
    assert read_job(tmp_path) == JOB


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": 1}', '{"format": 2}', b"\xff"])
def test_what_is_no_job_is_refused(tmp_path: Path, text: str | bytes) -> None:
    (tmp_path / "job.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ShardError):
        read_job(tmp_path)


def test_a_folder_without_a_job(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="lexel encode SOURCE"):
        read_job(tmp_path)


def test_leftovers_of_certain_files_are_removed(tmp_path: Path) -> None:
    kept = [".shard-00001.parquet.abcd.tmp", ".other.tmp", "shard-00000.parquet.tmp"]
    for name in [*kept, ".shard-00000.parquet.1234.tmp", ".job.json.99.tmp"]:
        (tmp_path / name).write_bytes(b"half")
    remove_leftovers(tmp_path, {"shard-00000.parquet", "job.json"})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


_LIMITED = """
import resource, sys
from pathlib import Path
from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.errors import WriteError
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
big = Path(sys.argv[3]).read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_atomically(folder / "job.json", big)
except WriteError as error:
    print(error)
"""


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_half(tmp_path: Path) -> None:
    """The kernel's own limit on a file's size ends the write in the middle, as a full disk does."""
    folder, big = tmp_path / "out", tmp_path / "big"
    folder.mkdir()
    write_job(folder, JOB)
    big.write_bytes(b"x" * 100_000)
    command = [sys.executable, "-c", _LIMITED, str(folder), "50000", str(big)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "job.json cannot be written (File too large)" in answer.stdout
    assert [path.name for path in folder.iterdir()] == ["job.json"]
    assert read_job(folder) == JOB


def test_a_vocabulary_is_written_whole(tmp_path: Path) -> None:
    write_vocabulary(tmp_path, vocabulary())
    assert type(vocabulary()).load(tmp_path / "vocabulary.json") == vocabulary()
    assert [path.name for path in tmp_path.iterdir()] == ["vocabulary.json"]
