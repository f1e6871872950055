"""What a run finds in the folder of shards: what a killed one left, ledgers of parts, and shards of older versions."""

import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.encoding.changing_collection import Collection, aged, assert_same_items, ledger, same_size
from support.jobs import failures, marks, rows, run, uris
from support.making import contents, jpeg, photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.shard import Shard, write_shard


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def made(tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """Twelve pictures, two of them equal and one broken, which were there for two hours, and their shards."""
    root = photo_folder(tmp_path / "photos", count=12)
    shutil.copy(root / "003.jpg", root / "011.jpg")
    (root / "005.jpg").write_bytes(b"bad")
    before = time.time_ns() - 7200 * 10**9
    for path in root.iterdir():
        os.utime(path, ns=(before, before))
    found = Collection(root, tmp_path / "out", encoder)
    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", found.decode)
    assert found.encode() == ChangeCounts(new=12)
    return found


def _change(root: Path) -> None:
    """Add, change, move, remove, and break."""
    (root / "0000.jpg").write_bytes(jpeg(90))
    same_size(root / "001.jpg")
    (root / "002.jpg").rename(root / "zzz.jpg")
    (root / "004.jpg").unlink()
    (root / "006.jpg").write_bytes(b"bad")
    aged(root)


CHANGED = ChangeCounts(new=1, changed=2, moved=1, gone=1)


def test_without_its_ledger_a_folder_is_as_it_was(made: Collection) -> None:
    before = contents(made.out)
    (made.out / "ledger.parquet").unlink()
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    assert contents(made.out) == before
    made.check()


def test_killed_between_its_shards_and_the_ledger(made: Collection) -> None:
    shutil.copy(made.out / "ledger.parquet", made.out.with_name("older"))
    _change(made.source)
    assert (made.encode(), made.decoded) == (CHANGED, 3)
    shutil.copy(made.out.with_name("older"), made.out / "ledger.parquet")
    assert (made.encode(), made.decoded) == (ChangeCounts(gone=2), 0)  # what was moved is known by now
    made.check()


def test_without_the_ledger_of_many_changes(made: Collection) -> None:
    _change(made.source)
    made.encode()
    (made.source / "001.jpg").write_bytes(jpeg(1))  # as it was at first: its row is dead
    aged(made.source)
    made.encode()
    (made.out / "ledger.parquet").unlink()
    made.encode()
    assert made.decoded == 0
    made.check()


def test_a_change_just_before_the_kill_is_not_missed(made: Collection) -> None:
    """A shard that no ledger names was written when nobody knows; its files may have changed since they were read."""
    path = made.source / "001.jpg"
    path.write_bytes(jpeg(91))
    made.encode()
    about = path.stat()
    (made.out / "ledger.parquet").unlink()
    same_size(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(changed=1), 1)
    made.check()


def test_a_row_is_kept_where_a_killed_run_could_not_read_the_file(
    made: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lexel.pipeline.sources.picture_folders import folder_entries

    shutil.copy(made.out / "ledger.parquet", made.out.with_name("older"))
    (made.source / "0000.jpg").write_bytes(jpeg(92))
    (made.source / "001.jpg").write_bytes(jpeg(93, (90, 90)))
    aged(made.source)
    read = folder_entries.read_file

    def refusing(path: str | Path) -> bytes:
        if Path(path).name == "001.jpg":
            raise PermissionError(13, "Permission denied")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(folder_entries, "read_file", refusing)
        made.encode()
        shutil.copy(made.out.with_name("older"), made.out / "ledger.parquet")
        made.encode()
        assert "001.jpg" in uris(made.out)
        assert list(failures(made.out)) == ["005.jpg"]
    made.encode()
    made.check()


def test_parts_of_any_number_one_after_another(made: Collection) -> None:
    wanted = made.out.with_name("wanted")
    for turn, of in enumerate([3, 2, 1, 4, 1, 2]):
        same_size(made.source / "001.jpg", 600 + 10 * turn)
        (made.source / f"new-{turn}.jpg").write_bytes(jpeg(80 + turn))
        (made.source / f"{turn + 6:03d}.jpg").unlink()
        aged(made.source)
        found = [made.encode(part=f"{i}/{of}") for i in range(of)]
        assert sum(found, ChangeCounts()) == ChangeCounts(new=1, changed=1, gone=1)
        shutil.rmtree(wanted, ignore_errors=True)
        run(made.source, wanted, made.encoder, exact=True)
        assert_same_items(made.out, wanted)
        names = {f"ledger-{i}-of-{of}.parquet" for i in range(of)} if of > 1 else {"ledger.parquet"}
        assert {path.name for path in made.out.glob("ledger*")} <= names | {"ledger.parquet"}
        before = marks(made.out)
        assert not any(made.encode(part=f"{i}/{of}").any for i in range(of))
        assert marks(made.out) == before


def test_equal_pictures_in_different_parts_are_one_group(made: Collection, tmp_path: Path) -> None:
    for i in range(4):
        run(made.source, tmp_path / "parts", made.encoder, part=f"{i}/4", exact=True)
    assert ledger(tmp_path / "parts").joined
    assert_same_items(tmp_path / "parts", made.out)
    assert not run(made.source, tmp_path / "parts", made.encoder, exact=True).new
    assert [path.name for path in (tmp_path / "parts").glob("ledger*")] == ["ledger.parquet"]
    assert_same_items(tmp_path / "parts", made.out)


def _as_older(shard: Shard) -> None:
    """The shard as older versions wrote it."""
    table = shard.table().drop_columns(["key", "own_id", "described", "size", "changed", "content"])
    failed = [{"id": one.id, "uri": one.uri, "reason": one.reason} for one in shard.failures()]
    write_shard(shard.path.parent, shard.number, table, listing=shard.listing(), failures=[])
    content = pq.read_table(shard.path)
    footer = {**content.schema.metadata, b"lexel.failures": json.dumps(failed).encode()}
    pq.write_table(content.replace_schema_metadata(footer), shard.path)


def test_shards_of_older_versions_are_gone_on_with(made: Collection) -> None:
    for shard in finished_shards(made.out):
        _as_older(shard)
    (made.out / "ledger.parquet").unlink()
    before = [row["vector"] for row in rows(made.out)]
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    assert [row["vector"] for row in rows(made.out)] == before
    (made.source / "002.jpg").rename(made.source / "zzz.jpg")
    (made.source / "001.txt").write_text("a dog")
    (made.source / "003.jpg").write_bytes(jpeg(94))
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(moved=1, relisted=1, changed=1), 1)
    assert not made.encode().any


def _encode(source: Path, out: Path, encoder: Encoder) -> None:
    run(source, out, encoder, exact=True)


def test_two_at_once_wait_for_each_other_and_end_well(made: Collection) -> None:
    for i in range(30):
        (made.source / f"more-{i}.jpg").write_bytes(jpeg(100 + i))
    aged(made.source)
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_encode, args=(made.source, made.out, made.encoder)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(200)
    assert [process.exitcode for process in both] == [0, 0]
    stored = sum(shard.stored_rows() for shard in finished_shards(made.out))
    assert stored == 41  # each was encoded once
    made.check()
