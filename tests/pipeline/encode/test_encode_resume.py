"""The same command again: it does what has changed, what is broken and what is to be tried again, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.jobs import SHARD, failures, marks, rows, run, uris, vectors
from support.making import contents, jpeg, photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.shards.job import read_job


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """18 pictures, five shards of four."""
    return photo_folder(tmp_path / "photos", count=18)


def test_the_same_command_again_does_nothing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before, content = marks(tmp_path / "out"), contents(tmp_path / "out")
    assert run(photos, tmp_path / "out", encoder) == EncodeReport(items=18, encoded=18, failed=0, new=0)
    assert (marks(tmp_path / "out"), contents(tmp_path / "out")) == (before, content)


def _add_in_the_middle(folder: Path) -> None:
    (folder / "009b.jpg").write_bytes(jpeg(99))


def _add_at_the_end(folder: Path) -> None:
    (folder / "999.jpg").write_bytes(jpeg(99))


def _remove(folder: Path) -> None:
    for i in (8, 9, 10, 11):
        (folder / f"{i:03d}.jpg").unlink()


def _replace(folder: Path) -> None:
    (folder / "001.jpg").write_bytes(jpeg(99, (80, 80)))


@pytest.mark.parametrize(
    ("change", "kept"),
    [(_add_in_the_middle, [0, 1]), (_add_at_the_end, [0, 1, 2, 3]), (_remove, [0, 1]), (_replace, [1, 2, 3, 4])],
)
def test_what_changed_is_done_again_and_nothing_else(
    photos: Path, tmp_path: Path, encoder: Encoder, change: Callable[[Path], None], kept: list[int]
) -> None:
    run(photos, tmp_path / "out", encoder)
    before = marks(tmp_path / "out")
    change(photos)
    run(photos, tmp_path / "out", encoder)
    run(photos, tmp_path / "clean", encoder)
    assert contents(tmp_path / "out") == contents(tmp_path / "clean")
    after = marks(tmp_path / "out")
    assert [number for number in before if after.get(number) == before[number]] == kept


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    pq.write_table(pq.read_table(path).select(["uri"]).replace_schema_metadata(None), path)


def _of_another_chunk(path: Path) -> None:
    shutil.copy(path.with_name("shard-00002.parquet"), path)


@pytest.mark.parametrize("harm", [Path.unlink, _truncate, _empty, _foreign, _of_another_chunk])
def test_a_shard_that_is_not_right_is_done_again(
    photos: Path, tmp_path: Path, encoder: Encoder, harm: Callable[[Path], None]
) -> None:
    (photos / "002.jpg").write_bytes(b"bad")
    run(photos, tmp_path / "out", encoder)
    wanted = contents(tmp_path / "out")
    harm(tmp_path / "out" / "shard-00000.parquet")
    assert run(photos, tmp_path / "out", encoder).new == SHARD
    assert contents(tmp_path / "out") == wanted


def test_half_written_files_are_removed(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    wanted = contents(tmp_path / "out")
    for name in ("shard-00001.parquet", "failures.parquet", "job.json", "vocabulary.json"):
        (tmp_path / "out" / f".{name}.0123abcd.tmp").write_bytes(b"half")
    run(photos, tmp_path / "out", encoder)
    assert contents(tmp_path / "out") == wanted


def test_a_job_in_parts_leaves_what_others_are_writing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder, part="1/2")
    theirs = {".shard-00000.parquet.0123abcd.tmp", ".failures.parquet.0123abcd.tmp"}
    for name in [*theirs, ".shard-00001.parquet.0123abcd.tmp"]:
        (tmp_path / "out" / name).write_bytes(b"half")
    run(photos, tmp_path / "out", encoder, part="1/2")
    assert {name for name in contents(tmp_path / "out") if name.endswith(".tmp")} == theirs


def test_another_job_is_refused(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before = contents(tmp_path / "out")
    other = random_encoder(tmp_path / "other", seed=1)
    with pytest.raises(ShardError, match=r"random-0 .* not random-1 .* encode into another folder"):
        run(photos, tmp_path / "out", other)
    with pytest.raises(ShardError, match="in shards of 4; give the same options"):
        run(photos, tmp_path / "out", encoder, shard_size=5)
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


def test_retry_gives_what_a_clean_run_gives(tmp_path: Path, encoder: Encoder) -> None:
    """A manifest does not tell sizes, so that a file was mended is not seen in the list."""
    folder = photo_folder(tmp_path / "photos", count=12)
    manifest = folder / "m.csv"
    manifest.write_text("image,n\n" + "".join(f"{i:03d}.jpg,{i}\n" for i in range(12)))
    bad = {name: (folder / name).read_bytes() for name in ("000.jpg", "005.jpg", "006.jpg", "010.jpg")}
    for name in bad:
        (folder / name).write_bytes(b"bad")
    (folder / "006.jpg").unlink()
    run(manifest, tmp_path / "out", encoder)
    assert list(failures(tmp_path / "out")) == list(bad)
    for name in ("000.jpg", "005.jpg", "006.jpg"):
        (folder / name).write_bytes(bad[name])
    # What could not be read is tried again by itself; what was read and was bad is not.
    assert run(manifest, tmp_path / "out", encoder) == EncodeReport(items=12, encoded=9, failed=3, new=1)
    assert list(failures(tmp_path / "out")) == ["000.jpg", "005.jpg", "010.jpg"]
    assert run(manifest, tmp_path / "out", encoder).new == 0
    assert run(manifest, tmp_path / "out", encoder, retry=True) == EncodeReport(items=12, encoded=11, failed=1, new=3)
    run(manifest, tmp_path / "clean", encoder)
    assert list(failures(tmp_path / "out")) == list(failures(tmp_path / "clean")) == ["010.jpg"]
    found, wanted = rows(tmp_path / "out"), rows(tmp_path / "clean")
    for name in ("id", "uri", "metadata", "width", "height"):
        assert [row[name] for row in found] == [row[name] for row in wanted]
    assert [list(dict(row["terms"])) for row in found] == [list(dict(row["terms"])) for row in wanted]
    # Not to the last bit: a matrix product adds a row's numbers in another order when it has more rows.
    assert np.allclose(vectors(found), vectors(wanted), atol=1e-5)
    before = marks(tmp_path / "out")
    (folder / "010.jpg").write_bytes(bad["010.jpg"])
    assert run(manifest, tmp_path / "out", encoder, retry=True).failed == 0
    after = marks(tmp_path / "out")
    assert [n for n in before if before[n] == after[n]] == [0, 1]
    assert not (tmp_path / "out" / "failures.parquet").exists()
    assert uris(tmp_path / "out") == [f"{i:03d}.jpg" for i in range(12)]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A manifest of 10 pictures in two folders, which tells no sizes."""
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


def test_shards_are_kept_where_nothing_of_a_changed_list_can_be_read(
    listed: Path, tmp_path: Path, encoder: Encoder
) -> None:
    run(listed, tmp_path / "out", encoder)
    before = marks(tmp_path / "out")
    listed.write_text("image,note\n" + "".join(f"{uri},new\n" for uri in listed.read_text().split()[1:]))
    for name in ("near", "far"):
        (tmp_path / name).rename(tmp_path / f"{name}-away")
    with pytest.raises(SourceError, match="None of the 10 items could be read"):
        run(listed, tmp_path / "out", encoder)
    assert marks(tmp_path / "out") == before
    (tmp_path / "near-away").rename(tmp_path / "near")
    assert run(listed, tmp_path / "out", encoder) == EncodeReport(items=10, encoded=5, failed=5, new=10)
    assert uris(tmp_path / "out") == [f"near/{i:03d}.jpg" for i in range(5)]
