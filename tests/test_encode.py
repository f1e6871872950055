"""The job: whatever is in the source and however it is broken off, the same shards come out in the end."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from making import contents, jpeg, photo_folder, random_encoder, saved
from PIL import Image

from lexel.encoders.encoder import Encoder
from lexel.pipeline import encode as job
from lexel.pipeline import shards
from lexel.pipeline.encode import Part, Report
from lexel.pipeline.errors import ConfigError, ShardError, SourceError
from lexel.pipeline.images import decode as decoded
from lexel.pipeline.items import Item
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.sources import Source, open_source

SHARD = 4


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """18 pictures, five shards of four."""
    return photo_folder(tmp_path / "photos", count=18)


def run(
    source: Path | Source,
    out: Path,
    encoder: Encoder,
    *,
    part: str = "0/1",
    batch_size: int = 3,
    shard_size: int = SHARD,
    captions: bool = False,
    retry: bool = False,
    progress: Progress = QUIET,
) -> Report:
    return job.encode(
        source if isinstance(source, Source) else open_source(source, captions=captions),
        out,
        encoder=encoder,
        part=Part.parse(part),
        batch_size=batch_size,
        device="cpu",
        workers=2,
        shard_size=shard_size,
        retry=retry,
        progress=progress,
    )


def rows(out: Path) -> list[dict[str, Any]]:
    return [row for shard in shards.shards(out) for row in shard.table().to_pylist()]


def vectors(found: list[dict[str, Any]]) -> npt.NDArray[np.float32]:
    return np.array([row["vector"] for row in found], np.float32)


def uris(out: Path) -> list[str]:
    return [row["uri"] for row in rows(out)]


def failures(out: Path) -> dict[str, str]:
    path = out / "failures.parquet"
    return {row["uri"]: row["reason"] for row in pq.read_table(path).to_pylist()} if path.exists() else {}


def marks(out: Path) -> dict[int, int]:
    """Each shard's number and inode, which changes when it is written again."""
    return {shard.number: shard.path.stat().st_ino for shard in shards.shards(out)}


# What comes out


def test_every_picture_becomes_a_row(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    report = run(photos, tmp_path / "out", encoder)
    assert report == Report(items=18, encoded=18, failed=0, new=18)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "job.json",
        *(f"shard-0000{n}.parquet" for n in range(5)),
        "vocabulary.json",
    ]
    found = rows(tmp_path / "out")
    assert [row["uri"] for row in found] == [f"{i:03d}.jpg" for i in range(18)]
    assert len({row["id"] for row in found}) == 18
    model = encoder.load(device="cpu")
    for row, seed in zip(found, range(18), strict=True):
        alone = model.images(model.pixels(decoded(jpeg(seed)))[None])
        assert np.allclose(row["vector"], alone.vectors[0], atol=1e-5)
        assert dict(row["terms"]).keys() == alone.terms[0].keys()
        assert alone.features is not None
        assert np.allclose(np.array(row["features"], np.float32), alone.features[0].astype(np.float32), atol=1e-2)
        assert (row["width"], row["height"], row["text"]) == (64, 48, None)
    assert shards.read_job(tmp_path / "out").fingerprint == encoder.fingerprint


def test_captions_are_items(tmp_path: Path, encoder: Encoder) -> None:
    lines = [{"image": f"{i}.jpg", "captions": ["Two dogs", f"snow and a boat {i}"], "label": "x"} for i in range(5)]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = run(manifest, tmp_path / "out", encoder, captions=True)
    assert report == Report(items=10, encoded=10, failed=0, new=10)  # no picture is opened: there is none
    found = rows(tmp_path / "out")
    assert [(row["uri"], row["text"]) for row in found[:2]] == [("0.jpg", "Two dogs"), ("0.jpg", "snow and a boat 0")]
    assert [dict(row["terms"]) for row in found[:2]] == [{"dog": 1.0}, {"snow": 1.0, "boat": 1.0}]
    assert "features" not in found[0]
    assert (found[0]["width"], found[0]["label"]) == (None, "x")
    wanted = encoder.load(device="cpu").text_vectors(["Two dogs"])[0]
    assert np.allclose(found[0]["vector"], wanted, atol=1e-5)
    assert len({row["id"] for row in found}) == 10


def test_the_batch_size_changes_no_item(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    (photos / "005.jpg").write_bytes(b"bad")
    found = {}
    for size in (1, 3, 32):
        run(photos, tmp_path / str(size), encoder, batch_size=size)
        found[size] = rows(tmp_path / str(size))
    for size in (3, 32):
        for name in ("id", "uri", "width", "height"):
            assert [row[name] for row in found[size]] == [row[name] for row in found[1]]
        assert np.allclose(vectors(found[size]), vectors(found[1]), atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not Unicode")
def test_odd_names_come_through(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in (b"caf\xe9.jpg", b"new\nline.jpg", "日本 \U0001f415.jpg".encode()):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(jpeg(1))
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.jpg")).write_bytes(b"bad")
    assert run(folder, tmp_path / "out", encoder).encoded == 3
    assert sorted(uris(tmp_path / "out")) == sorted(["caf\\udce9.jpg", "new\nline.jpg", "日本 \U0001f415.jpg"])
    assert list(failures(tmp_path / "out")) == ["bad\\udcff.jpg"]
    before = marks(tmp_path / "out")
    assert run(folder, tmp_path / "out", encoder).new == 0
    assert marks(tmp_path / "out") == before


def test_a_folder_whose_name_is_not_unicode(tmp_path: Path, encoder: Encoder) -> None:
    folder = photo_folder(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")), count=2)
    run(folder, tmp_path / "out", encoder)
    assert shards.read_job(tmp_path / "out").root.endswith("caf\\udce9")


# What cannot be read


def test_each_bad_picture_is_named_with_its_reason(tmp_path: Path, encoder: Encoder) -> None:
    folder = photo_folder(tmp_path / "photos", count=9)
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    whole = saved(Image.fromarray(noise), "JPEG")
    bad = {
        "000-empty.jpg": (b"", "zero bytes"),
        "002-cut.jpg": (whole[: len(whole) // 2], "truncated"),
        "003-text.png": (b"hello", "not an image"),
        "005-page.gif": (b"<!DOCTYPE html><p>", "web page"),
        "007-phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 99, "HEIC"),
    }
    for name, (content, _) in bad.items():
        (folder / name).write_bytes(content)
    (folder / "004-link.jpg").symlink_to(tmp_path / "nothing")
    os.mkfifo(folder / "006-pipe.jpg")
    report = run(folder, tmp_path / "out", encoder)
    assert report == Report(items=16, encoded=9, failed=7, new=16)
    found = pq.read_table(tmp_path / "out" / "failures.parquet")
    assert found.schema.names == ["id", "uri", "reason"]
    assert found["uri"].to_pylist() == sorted([*bad, "004-link.jpg", "006-pipe.jpg"])
    reasons = failures(tmp_path / "out")
    assert {name: words for name, (_, words) in bad.items() if words not in reasons[name]} == {}
    assert reasons["004-link.jpg"] == "unreadable: No such file or directory"
    assert "not a regular file" in reasons["006-pipe.jpg"]
    known = {row["uri"]: row["id"] for row in found.to_pylist()}
    assert {name for name, id_ in known.items() if id_ is None} == {"004-link.jpg", "006-pipe.jpg"}
    assert uris(tmp_path / "out") == [f"{i:03d}.jpg" for i in range(9)]


def test_nothing_but_bad_pictures(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}.jpg").write_bytes(b"bad")
    assert run(folder, tmp_path / "out", encoder) == Report(items=6, encoded=0, failed=6, new=6)
    assert run(folder, tmp_path / "out", encoder).new == 0


class _Vanish(Progress):
    """Removes a file between the listing and the encoding."""

    def __init__(self, path: Path) -> None:
        self.path, self.seen = path, 0

    def plan(self, *, total: int, done: int) -> None:
        self.path.unlink()

    def advance(self, *, encoded: int, failed: int) -> None:
        self.seen += encoded + failed


def test_a_file_that_vanishes_is_a_failure(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(f'{{"image": "photos/{path.name}"}}\n' for path in sorted(photos.iterdir())))
    progress = _Vanish(photos / "007.jpg")
    assert run(manifest, tmp_path / "out", encoder, progress=progress).encoded == 17
    assert failures(tmp_path / "out") == {"photos/007.jpg": "unreadable: No such file or directory"}
    assert progress.seen == 18


def _raise(error: Exception) -> bytes:
    raise error


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("too deep"), ValueError("embedded null byte"), KeyError("x")]
)
def test_no_exception_of_one_item_ends_the_job(
    tmp_path: Path, encoder: Encoder, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [Item(f"{i}.jpg", partial(_raise, error) if i == 2 else partial(jpeg, i)) for i in range(6)]
    source = Source(tmp_path, lambda: iter(items))
    assert run(source, tmp_path / "read", encoder) == Report(items=6, encoded=5, failed=1, new=6)
    assert failures(tmp_path / "read")["2.jpg"].startswith("unreadable: ")

    def decode(content: bytes) -> Any:
        return _raise(error) if content == jpeg(3) else decoded(content)

    monkeypatch.setattr("lexel.pipeline.ready.decode", decode)
    items[2] = Item("2.jpg", partial(jpeg, 2))
    assert run(source, tmp_path / "decoded", encoder) == Report(items=6, encoded=5, failed=1, new=6)
    assert failures(tmp_path / "decoded")["3.jpg"].startswith(f"not usable: {type(error).__name__}")


@pytest.mark.parametrize("part", ["0/1", "2/4"])
def test_nothing_to_encode_is_one_sentence_and_harms_nothing(
    photos: Path, tmp_path: Path, encoder: Encoder, part: str
) -> None:
    run(photos, tmp_path / "out", encoder)
    before = contents(tmp_path / "out")
    for path in photos.iterdir():  # as when a disk is not mounted
        path.unlink()
    with pytest.raises(SourceError, match=r"There is nothing to encode in .*photos: no pictures were found"):
        run(photos, tmp_path / "out", encoder, part=part)
    assert contents(tmp_path / "out") == before


def test_no_captions_is_one_sentence(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(SourceError, match="no captions were found"):
        run(photos, tmp_path / "out", encoder, captions=True)
    assert not (tmp_path / "out").exists()


# Parts


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_the_parts_together_are_the_whole(photos: Path, tmp_path: Path, encoder: Encoder, first: int, of: int) -> None:
    (photos / "006.jpg").write_bytes(b"bad")
    run(photos, tmp_path / "whole", encoder)
    reports = [run(photos, tmp_path / "parts", encoder, part=f"{i}/{of}") for i in range(first, of + first)]
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert (sum(r.items for r in reports), sum(r.encoded for r in reports), sum(r.failed for r in reports)) == (
        18,
        17,
        1,
    )


def test_parts_on_machines_of_their_own_make_the_same_shards(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "whole", encoder)
    together: dict[str, bytes] = {}
    for i in (1, 2, 3):
        run(photos, tmp_path / str(i), encoder, part=f"{i}/3")
        mine = contents(tmp_path / str(i))
        assert {n for n in mine if n.startswith("shard")}.isdisjoint(together)
        together |= {n: c for n, c in mine.items() if n.startswith("shard")}
    assert together == {n: c for n, c in contents(tmp_path / "whole").items() if n.startswith("shard")}


@pytest.mark.parametrize("text", ["", "1", "1/", "/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3", "²/3", "1.0/2"])
def test_a_part_that_makes_no_sense(text: str) -> None:
    with pytest.raises(ConfigError, match="write i/n"):
        Part.parse(text)


# Going on


def test_the_same_command_again_does_nothing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    before, content = marks(tmp_path / "out"), contents(tmp_path / "out")
    assert run(photos, tmp_path / "out", encoder) == Report(items=18, encoded=18, failed=0, new=0)
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
    with pytest.raises(ShardError, match="holds pictures"):
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
    assert shards.read_job(tmp_path / "out").root == str(moved)


def test_out_must_be_a_folder(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ShardError, match="cannot be made a folder"):
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
    assert run(manifest, tmp_path / "out", encoder).new == 0
    assert run(manifest, tmp_path / "out", encoder, retry=True) == Report(items=12, encoded=11, failed=1, new=4)
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


# Broken off


MANY = 240


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that take a while, some of them bad."""
    folder = photo_folder(tmp_path_factory.mktemp("many"), count=MANY, size=(500, 400))
    for i in (3, 40, 41, MANY - 1):
        (folder / f"{i:03d}.jpg").write_bytes(b"bad")
    return folder


@pytest.fixture(scope="module")
def unbroken(many: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    run(many, out, encoder)
    return contents(out)


def command(source: Path, out: Path, encoder: Encoder) -> list[str]:
    main = [sys.executable, "-c", "from lexel.pipeline.cli import main; main()"]
    options = ["--encoder", str(encoder.folder), "--shard-size", str(SHARD), "--batch-size", "3", "--device", "cpu"]
    return [*main, "encode", str(source), str(out), *options, "--workers", "2"]


# One thread adds in one order: the test's own runs and those of the commands are then equal to the last bit.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _started(source: Path, out: Path, encoder: Encoder) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(source, out, encoder), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _broken_off(
    source: Path, out: Path, encoder: Encoder, *, after: int, pause: float, how: signal.Signals
) -> "subprocess.Popen[str]":
    """Start the command, and end it `pause` seconds after there are `after` shards."""
    process = _started(source, out, encoder)
    deadline = time.monotonic() + 100
    while len(shards.shards(out)) < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(pause)
    process.send_signal(how)
    process.wait(60)
    return process


@pytest.mark.parametrize("after", [1, 20])
def test_a_killed_job_goes_on_to_the_same_shards(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, after: int
) -> None:
    out, pause = tmp_path / "out", random.Random(after).random() / 50  # about a shard takes as long
    process = _broken_off(many, out, encoder, after=after, pause=pause, how=signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    before = marks(out)
    assert after <= len(before) < MANY // SHARD
    assert all(shard.rows() + len(shard.failures()) == SHARD for shard in shards.shards(out))
    assert run(many, out, encoder).new == MANY - SHARD * len(before)
    assert contents(out) == unbroken
    assert marks(out).items() >= before.items()


def test_two_kills_and_the_command_again(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder
) -> None:
    out = tmp_path / "out"
    for after in (4, 16):
        process = _broken_off(many, out, encoder, after=after, pause=0.005, how=signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert after <= len(shards.shards(out)) < MANY // SHARD
    process = _started(many, out, encoder)
    said, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert "236 of 240 items encoded" in said
    assert "by earlier runs" in said
    assert "4 failed" in said
    assert contents(out) == unbroken


def test_ctrl_c_stops_at_once_and_goes_on_later(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder
) -> None:
    out = tmp_path / "out"
    process = _broken_off(many, out, encoder, after=3, pause=0.01, how=signal.SIGINT)
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.returncode == 130, said
    assert "the same command goes on from here" in " ".join(said.split())
    assert "Traceback" not in said
    assert 3 <= len(shards.shards(out)) < MANY // SHARD
    assert not list(out.glob(".*.tmp"))
    run(many, out, encoder)
    assert contents(out) == unbroken


def _said_in_one_sentence(process: "subprocess.CompletedProcess[str]", words: str) -> None:
    assert process.returncode == 1, process.stderr
    lines = process.stderr.strip().splitlines()
    assert lines[-1].startswith("lexel: ")
    assert words in lines[-1]
    assert lines[-1].endswith("give the same command again.")
    assert not [line for line in lines[:-1] if line.strip()]


@pytest.fixture
def namespace() -> list[str]:
    """How to run a command that may mount things which nobody else sees, and which go when it ends."""
    begin = ["unshare", "--mount", "--map-root-user"]
    try:
        able = subprocess.run([*begin, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("this machine has no `unshare`, by which a small disk of the test's own is made")
    if able.returncode:
        pytest.skip("this account may not mount a small disk of its own, which is filled up here")
    return begin


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    many: Path, unbroken: dict[str, bytes], tmp_path: Path, encoder: Encoder, namespace: list[str]
) -> None:
    small, out = tmp_path / "small", tmp_path / "out"
    small.mkdir()
    (tmp_path / "script").write_text(
        'small=$1; out=$2; shift 2; mount -t tmpfs -o size=120k none "$small" || exit 9\n'
        '"$@"; rc=$?; cp -r "$small" "$out"; exit $rc\n'
    )
    script = [*namespace, "sh", str(tmp_path / "script"), str(small), str(out)]
    process = subprocess.run(
        [*script, *command(many, small, encoder)], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    _said_in_one_sentence(process, "cannot be written (No space left on device)")
    there = contents(out)
    assert {name for name in there if name.endswith(".tmp")} == set()
    finished = [name for name in there if name.startswith("shard")]
    assert 0 < len(finished) < MANY // SHARD
    assert all(there[name] == unbroken[name] for name in finished)
    run(many, out, encoder)
    assert contents(out) == unbroken
