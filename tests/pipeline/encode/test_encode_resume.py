"""The same command again: it does what is broken and what is to be tried again, and nothing else.

What has changed in the source is in changes/.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.encoding.changing_collection import aged, assert_same_items, files
from support.jobs import SHARD, failures, marks, rows, run, uris
from support.making import contents, jpeg, photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.shards.job import read_job


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """18 pictures, five shards of four."""
    folder = photo_folder(tmp_path / "photos", count=18)
    aged(folder)
    return folder


def test_the_same_command_again_does_nothing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before = files(tmp_path / "out")
    assert run(photos, tmp_path / "out", encoder) == EncodeReport(items=18, encoded=18, failed=0, new=0)
    assert files(tmp_path / "out") == before


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    pq.write_table(pq.read_table(path).select(["uri"]).replace_schema_metadata(None), path)


def _another_shard(path: Path) -> None:
    shutil.copy(path.with_name("shard-00002.parquet"), path)


@pytest.mark.parametrize("harm", [Path.unlink, _truncate, _empty, _foreign, _another_shard])
def test_a_shard_that_is_not_right_is_done_again(
    photos: Path, tmp_path: Path, encoder: Encoder, harm: Callable[[Path], None]
) -> None:
    (photos / "002.jpg").write_bytes(b"bad")
    run(photos, tmp_path / "out", encoder)
    run(photos, tmp_path / "clean", encoder)
    before = marks(tmp_path / "out")
    harm(tmp_path / "out" / "shard-00000.parquet")
    assert run(photos, tmp_path / "out", encoder).changes == ChangeCounts(new=SHARD - 1)
    assert_same_items(tmp_path / "out", tmp_path / "clean")
    assert marks(tmp_path / "out").items() >= {n: mark for n, mark in before.items() if n > 0}.items()
    assert not run(photos, tmp_path / "out", encoder).new


def test_half_written_files_are_removed(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    wanted = contents(tmp_path / "out")
    for name in ("shard-00001.parquet", "failures.parquet", "job.json", "vocabulary.json"):
        (tmp_path / "out" / f".{name}.0123abcd.tmp").write_bytes(b"half")
    (tmp_path / "out" / "ledger.parquet").unlink()
    run(photos, tmp_path / "out", encoder)
    assert contents(tmp_path / "out") == wanted


def test_a_job_in_parts_leaves_what_others_are_writing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder, part="1/2")
    theirs = {".shard-00000.parquet.0123abcd.tmp", ".failures.parquet.0123abcd.tmp"}
    for name in [*theirs, ".shard-00001.parquet.0123abcd.tmp"]:
        (tmp_path / "out" / name).write_bytes(b"half")
    (tmp_path / "out" / "ledger-1-of-2.parquet").unlink()
    run(photos, tmp_path / "out", encoder, part="1/2")
    assert {name for name in contents(tmp_path / "out") if name.endswith(".tmp")} == theirs


def test_another_job_is_refused(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before = contents(tmp_path / "out")
    other = random_encoder(tmp_path / "other", seed=1)
    with pytest.raises(ShardError, match=r"random-0 .* not random-1 .* encode into another folder"):
        run(photos, tmp_path / "out", other)
    (tmp_path / "t.txt").write_text("a dog\n")
    with pytest.raises(ShardError, match="holds images"):
        run(tmp_path / "t.txt", tmp_path / "out", encoder)
    strangers = photo_folder(tmp_path / "strangers", count=3, size=(20, 20))
    with pytest.raises(ShardError, match=r"holds shards of .*photos; encode into another folder"):
        run(strangers, tmp_path / "out", encoder)
    assert contents(tmp_path / "out") == before


def test_another_manifest_of_the_same_folder_is_refused(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    for name, numbers in {"train.csv": range(9), "test.csv": range(9, 18)}.items():
        (photos / name).write_text("image\n" + "".join(f"{i:03d}.jpg\n" for i in numbers))
    run(photos / "train.csv", tmp_path / "out", encoder)
    with pytest.raises(ShardError, match=r"holds shards of .*train\.csv"):
        run(photos / "test.csv", tmp_path / "out", encoder)
    assert uris(tmp_path / "out") == [f"{i:03d}.jpg" for i in range(9)]


def test_a_collection_may_move(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before = marks(tmp_path / "out")
    moved = photos.rename(tmp_path / "moved")
    assert run(moved, tmp_path / "out", encoder).new == 0
    assert marks(tmp_path / "out") == before
    assert read_job(tmp_path / "out").root == str(moved)


def test_out_must_be_a_folder(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ShardError, match="cannot be created as a folder"):
            run(photos, out, encoder)


def test_retry_gives_what_a_clean_run_gives(tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photo_folder(tmp_path / "photos", count=12)
    manifest = folder / "m.csv"
    manifest.write_text("image,n\n" + "".join(f"{i:03d}.jpg,{i}\n" for i in range(12)))
    aged(folder)
    (folder / "006.jpg").rename(tmp_path / "006.jpg")

    def slow(content: bytes, **how: Any) -> Any:
        if content in (jpeg(0), jpeg(5), jpeg(10)):
            raise BadImageError("took too long")
        return decoder_pool.decode(content, **how)

    with monkeypatch.context() as patch:
        patch.setattr("lexel.pipeline.encode.prepare.decode", slow)
        run(manifest, tmp_path / "out", encoder)
    assert list(failures(tmp_path / "out")) == ["000.jpg", "005.jpg", "006.jpg", "010.jpg"]
    (tmp_path / "006.jpg").rename(folder / "006.jpg")
    # What could not be read is tried again by itself; what was read and was bad is not.
    again = run(manifest, tmp_path / "out", encoder)
    assert again == EncodeReport(items=12, encoded=9, failed=3, new=1)
    assert again.changes == ChangeCounts(retried=1)
    assert list(failures(tmp_path / "out")) == ["000.jpg", "005.jpg", "010.jpg"]
    assert run(manifest, tmp_path / "out", encoder).new == 0
    before = marks(tmp_path / "out")
    again = run(manifest, tmp_path / "out", encoder, retry=True)
    assert again == EncodeReport(items=12, encoded=12, failed=0, new=3)
    assert again.changes == ChangeCounts(retried=3)
    assert marks(tmp_path / "out").items() > before.items()
    assert not (tmp_path / "out" / "failures.parquet").exists()
    run(manifest, tmp_path / "clean", encoder)
    assert_same_items(tmp_path / "out", tmp_path / "clean")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A manifest of 10 pictures in two folders."""
    for name, first in (("near", 0), ("far", 5)):
        photo_folder(tmp_path / name, count=10)
        for i in set(range(10)) - set(range(first, first + 5)):
            (tmp_path / name / f"{i:03d}.jpg").unlink()
    manifest = tmp_path / "list.csv"
    manifest.write_text("image\n" + "".join(f"{'near' if i < 5 else 'far'}/{i:03d}.jpg\n" for i in range(10)))
    return manifest


def test_where_nothing_can_be_read_it_is_said_and_the_same_command_does_it_later(
    listed: Path, tmp_path: Path, encoder: Encoder
) -> None:
    for name in ("near", "far"):
        (tmp_path / name).rename(tmp_path / f"{name}-away")
    for _ in range(2):
        with pytest.raises(SourceError, match=r"None of the 10 items could be read \(near/000.jpg: unread"):
            run(listed, tmp_path / "out", encoder)
    assert len(failures(tmp_path / "out")) == 10
    (tmp_path / "near-away").rename(tmp_path / "near")
    assert run(listed, tmp_path / "out", encoder) == EncodeReport(items=10, encoded=5, failed=5, new=10)
    before = marks(tmp_path / "out")
    assert run(listed, tmp_path / "out", encoder) == EncodeReport(items=10, encoded=5, failed=5, new=5)
    assert marks(tmp_path / "out") == before  # nothing came of it, so nothing is written
    (tmp_path / "far-away").rename(tmp_path / "far")
    assert run(listed, tmp_path / "out", encoder) == EncodeReport(items=10, encoded=10, failed=0, new=5)


def test_rows_are_kept_where_nothing_of_a_changed_list_can_be_read(
    listed: Path, tmp_path: Path, encoder: Encoder
) -> None:
    run(listed, tmp_path / "out", encoder)
    listed.write_text("image,note\n" + "".join(f"{uri},new\n" for uri in listed.read_text().split()[1:]))
    for name in ("near", "far"):
        (tmp_path / name).rename(tmp_path / f"{name}-away")
    with pytest.raises(SourceError, match="None of the 10 items could be read; what is known of 10 of them is kept"):
        run(listed, tmp_path / "out", encoder)
    assert {row["metadata"] for row in rows(tmp_path / "out")} == {'{"note":"new"}'}
    (tmp_path / "near-away").rename(tmp_path / "near")
    assert run(listed, tmp_path / "out", encoder).changes == ChangeCounts(unreachable=5)
    assert len(rows(tmp_path / "out")) == 10
