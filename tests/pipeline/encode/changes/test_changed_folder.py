"""A folder that changes: only what is new in it is decoded, and what comes out is what a fresh encode gives."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.encoding.changing_collection import Collection, aged, ledger, same_size
from support.jobs import failures, rows
from support.making import jpeg, photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.changes import survey
from lexel.pipeline.encode.changes.survey import ChangeCounts


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def made(tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """Ten pictures in two folders, two of them equal and one with a caption, and their shards."""
    root = tmp_path / "photos"
    photo_folder(root / "a", count=6)
    photo_folder(root / "b", count=4)
    for i in range(3):
        (root / "b" / f"{i:03d}.jpg").write_bytes(jpeg(20 + i, (50, 50)))
    (root / "a" / "001.txt").write_text("a dog")
    aged(root)
    found = Collection(root, tmp_path / "out", encoder)
    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", found.decode)
    assert found.encode() == ChangeCounts(new=10)
    found.check()
    return found


def _add(root: Path) -> None:
    (root / "a" / "0000.jpg").write_bytes(jpeg(90))


def _change(root: Path) -> None:
    (root / "a" / "002.jpg").write_bytes(jpeg(91, (80, 80)))


def _change_to_the_same_size(root: Path) -> None:
    same_size(root / "a" / "002.jpg")


def _touch(root: Path) -> None:
    os.utime(root / "a" / "002.jpg")


def _move(root: Path) -> None:
    (root / "a" / "000.jpg").rename(root / "b" / "zzz.jpg")


def _move_over(root: Path) -> None:
    (root / "a" / "000.jpg").rename(root / "b" / "000.jpg")


def _swap(root: Path) -> None:
    one, other = root / "a" / "000.jpg", root / "b" / "000.jpg"
    one.rename(root / "x")
    other.rename(one)
    (root / "x").rename(other)


def _move_folder(root: Path) -> None:
    (root / "a").rename(root / "c")


def _copy(root: Path) -> None:
    shutil.copy2(root / "a" / "000.jpg", root / "b" / "copy.jpg")


def _remove(root: Path) -> None:
    (root / "a" / "000.jpg").unlink()


def _remove_one_of_two_that_are_equal(root: Path) -> None:
    (root / "b" / "003.jpg").unlink()


def _describe(root: Path) -> None:
    (root / "a" / "001.txt").write_text("a cat")
    (root / "b" / "001.txt").write_text("a boat")
    (root / "b" / "002.json").write_text('{"year": 1999, "label": "x"}')


def _undescribe(root: Path) -> None:
    (root / "a" / "001.txt").unlink()


def _no_longer_classes(root: Path) -> None:
    """Their folder was the label of all that lie one folder deep."""
    (root / "loose.jpg").write_bytes(jpeg(92))


@pytest.mark.parametrize(
    ("change", "counts", "decoded"),
    [
        (_add, ChangeCounts(new=1), 1),
        (_change, ChangeCounts(changed=1), 1),
        (_change_to_the_same_size, ChangeCounts(changed=1), 1),
        (_touch, ChangeCounts(), 0),
        (_move, ChangeCounts(moved=1), 0),
        (_move_over, ChangeCounts(moved=1), 0),
        (_swap, ChangeCounts(moved=2), 0),
        (_move_folder, ChangeCounts(moved=6), 0),
        (_copy, ChangeCounts(moved=1), 0),
        (_remove, ChangeCounts(gone=1), 0),
        (_remove_one_of_two_that_are_equal, ChangeCounts(gone=1), 0),
        (_describe, ChangeCounts(relisted=3), 0),
        (_undescribe, ChangeCounts(relisted=1), 0),
        (_no_longer_classes, ChangeCounts(new=1, relisted=10), 1),
    ],
)
@pytest.mark.parametrize("kept", [20_000, 0])
def test_a_change_costs_what_it_costs(
    made: Collection,
    change: Callable[[Path], None],
    counts: ChangeCounts,
    decoded: int,
    kept: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survey, "_MOST", kept)  # of more changes the source is listed twice
    change(made.source)
    aged(made.source)
    before = {path.name for path in made.out.glob("shard*")}
    assert (made.encode(), made.decoded) == (counts, decoded)
    made.check()
    assert {path.name for path in made.out.glob("shard*")} >= before


def test_what_was_removed_comes_back_under_another_name(made: Collection) -> None:
    content = (made.source / "a" / "000.jpg").read_bytes()
    (made.source / "a" / "000.jpg").unlink()
    assert made.encode() == ChangeCounts(gone=1)
    (made.source / "b" / "again.jpg").write_bytes(content)
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(moved=1), 0)
    made.check()


def test_a_change_that_left_size_and_time_is_found_by_verify(made: Collection) -> None:
    path = made.source / "a" / "002.jpg"
    about = path.stat()
    same_size(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert not made.encode().any
    assert (made.encode(verify=True), made.decoded) == (ChangeCounts(changed=1), 1)
    made.check()


def test_a_change_at_once_is_found_whatever_the_clock_of_the_disk(made: Collection) -> None:
    """A file that was written a moment before it was read may be written again within the same tick."""
    path = made.source / "a" / "002.jpg"
    path.write_bytes(jpeg(93))
    assert made.encode() == ChangeCounts(changed=1)
    about = path.stat()
    same_size(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert (made.encode(), made.decoded) == (ChangeCounts(changed=1), 1)
    aged(made.source)
    assert not made.encode().any
    made.check()


def test_a_file_of_tomorrow_is_read_each_time_and_nothing_is_written(made: Collection) -> None:
    path = made.source / "a" / "002.jpg"
    later = path.stat().st_mtime_ns + 10**9 * 86_400
    os.utime(path, ns=(later, later))
    assert not made.encode().any
    made.check()
    same_size(path)
    os.utime(path, ns=(later, later))
    assert made.encode() == ChangeCounts(changed=1)
    made.check()


def test_a_file_breaks_and_is_mended(made: Collection) -> None:
    path = made.source / "a" / "002.jpg"
    whole = path.read_bytes()
    path.write_bytes(b"bad")
    aged(made.source)
    assert made.encode() == ChangeCounts(changed=1)
    assert list(failures(made.out)) == ["a/002.jpg"]
    assert "a/002.jpg" not in {row["uri"] for row in rows(made.out)}
    made.check()
    path.write_bytes(jpeg(94))
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(retried=1), 1)
    made.check()
    path.write_bytes(b"bad")
    made.encode()
    path.write_bytes(whole)  # which is known still
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(moved=1), 0)
    made.check()


def test_a_broken_file_is_mended_within_the_moment(made: Collection) -> None:
    """Of as many bytes, and with the same time of change."""
    path = made.source / "a" / "002.jpg"
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))
    made.encode()
    about = path.stat()
    assert not made.encode().any
    same_size(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(retried=1), 1)
    made.check()


def test_a_broken_file_is_moved_and_removed(made: Collection) -> None:
    (made.source / "b" / "bad.jpg").write_bytes(b"bad")
    aged(made.source)
    assert made.encode() == ChangeCounts(new=1)
    made.check()
    (made.source / "b" / "bad.jpg").rename(made.source / "b" / "worse.jpg")
    made.encode()
    assert list(failures(made.out)) == ["b/worse.jpg"]
    made.check()
    (made.source / "b" / "worse.jpg").unlink()
    made.encode()
    assert not failures(made.out)
    made.check()


@pytest.fixture
def unlistable(made: Collection, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """A folder that nobody may list any more."""
    scandir = os.scandir

    def make(folder: Path) -> None:
        def refusing(place: str | Path = ".") -> object:
            if Path(place) == folder:
                raise PermissionError(13, "Permission denied")
            return scandir(place)

        monkeypatch.setattr(os, "scandir", refusing)

    return make


@pytest.mark.parametrize("parts", [("0/1",), ("1/3", "2/3", "3/3")])
def test_what_is_in_a_folder_that_cannot_be_listed_for_a_while_is_kept(
    made: Collection, unlistable: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]
) -> None:
    before = {row["uri"] for row in rows(made.out)}
    unlistable(made.source / "b")
    (made.source / "a" / "000.jpg").unlink()
    for part in parts:
        made.encode(part=part)
    assert {row["uri"] for row in rows(made.out)} == before - {"a/000.jpg"}
    assert failures(made.out) == {"b": "unreadable: Permission denied"}
    monkeypatch.undo()
    for part in parts:
        assert not made.encode(part=part).new
    assert not failures(made.out)
    assert not made.encode().any


def test_a_changed_file_that_cannot_be_read_now_is_looked_at_later(
    made: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lexel.pipeline.sources.picture_folders import folder_entries

    other_size, as_long = made.source / "a" / "002.jpg", made.source / "a" / "003.jpg"
    other_size.write_bytes(jpeg(95, (90, 90)))
    same_size(as_long)
    aged(made.source)
    before, read = rows(made.out), folder_entries.read_file

    def refusing(path: str | Path) -> bytes:
        if Path(path) in {other_size, as_long}:
            raise PermissionError(13, "Permission denied")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(folder_entries, "read_file", refusing)
        for _ in range(2):
            assert made.encode().unreachable == 1
            assert rows(made.out) == before
            assert not failures(made.out)
    assert (made.encode(), made.decoded) == (ChangeCounts(changed=2), 2)
    made.check()


def test_rows_stay_where_they_were_written(made: Collection) -> None:
    before = ledger(made.out).entries.select(["key", "shard", "row"]).to_pylist()
    (made.source / "a" / "0000.jpg").write_bytes(jpeg(96))
    made.encode()
    assert ledger(made.out).entries.select(["key", "shard", "row"]).to_pylist()[:-1] == before
