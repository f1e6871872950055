"""The job: a row for every picture, a reason for every one that is none, and the same shards from any parts."""

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from support.jobs import failures, marks, rows, run, uris, vectors
from support.making import contents, jpeg, photo_folder, random_encoder, saved

from lexel.encoders import Encoder, open_encoder
from lexel.encoders.model import Model, load_model
from lexel.encoders.term_weights import quantise
from lexel.pipeline.encode.precision_check import AGREES
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.decode import decode as decoded
from lexel.pipeline.progress import Progress
from lexel.pipeline.scenes import draw, scene
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.shards.part import Part
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """18 pictures, five shards of four."""
    return photo_folder(tmp_path / "photos", count=18)


def test_a_large_picture_is_decoded_small_and_its_vector_agrees(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        draw(scene(seed), size=(3000, 2250)).save(tmp_path / "photos" / f"{seed}.jpg", quality=90)
    run(tmp_path / "photos", tmp_path / "out", open_encoder(), exact=True)
    model = load_model(open_encoder(), device="cpu")
    for row, seed in zip(rows(tmp_path / "out"), range(4), strict=True):
        whole = decoded((tmp_path / "photos" / f"{seed}.jpg").read_bytes()).image
        assert whole.size == (3000, 2250) == (row["width"], row["height"])
        assert model.images(model.pixels(whole)[None]).vectors[0] @ row["vector"] >= AGREES


def test_every_picture_becomes_a_row(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    report = run(photos, tmp_path / "out", encoder, exact=True)
    assert report == EncodeReport(items=18, encoded=18, failed=0, new=18)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "job.json",
        *(f"shard-0000{n}.parquet" for n in range(5)),
        "vocabulary.json",
    ]
    found = rows(tmp_path / "out")
    assert [row["uri"] for row in found] == [f"{i:03d}.jpg" for i in range(18)]
    assert len({row["id"] for row in found}) == 18
    model = load_model(encoder, device="cpu")
    for row, seed in zip(found, range(18), strict=True):
        alone = model.images(model.pixels(decoded(jpeg(seed)).image)[None])
        assert np.allclose(row["vector"], alone.vectors[0], atol=1e-5)
        assert dict(row["terms"]).keys() == alone.terms[0].keys()
        assert alone.features is not None
        assert np.allclose(np.array(row["features"], np.float32), alone.features[0].astype(np.float32), atol=1e-2)
        assert (row["width"], row["height"], row["text"]) == (64, 48, None)
    assert read_job(tmp_path / "out").fingerprint == encoder.fingerprint


def test_captions_are_items(tmp_path: Path, encoder: Encoder) -> None:
    lines = [{"image": f"{i}.jpg", "captions": ["Two dogs", f"snow and a boat {i}"], "label": "x"} for i in range(5)]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = run(manifest, tmp_path / "out", encoder, captions=True)
    assert report == EncodeReport(items=10, encoded=10, failed=0, new=10)  # no picture is opened: there is none
    found = rows(tmp_path / "out")
    assert [(row["uri"], row["text"]) for row in found[:2]] == [("0.jpg", "Two dogs"), ("0.jpg", "snow and a boat 0")]
    root = float(quantise([0.5**0.5])[0])  # two words of 1 / sqrt(2)
    assert [dict(row["terms"]) for row in found[:2]] == [{"dog": 1.0}, {"snow": root, "boat": root}]
    assert "features" not in found[0]
    assert (found[0]["width"], found[0]["label"]) == (None, "x")
    wanted = load_model(encoder, device="cpu").text_vectors(["Two dogs"])[0]
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
    assert read_job(tmp_path / "out").root.endswith("caf\\udce9")


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
    assert report == EncodeReport(items=16, encoded=9, failed=7, new=16)
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
    assert run(folder, tmp_path / "out", encoder) == EncodeReport(items=6, encoded=0, failed=6, new=6)
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
    assert run(source, tmp_path / "read", encoder) == EncodeReport(items=6, encoded=5, failed=1, new=6)
    assert failures(tmp_path / "read")["2.jpg"].startswith("unreadable: ")

    def decode(content: bytes, **how: Any) -> Any:
        return _raise(error) if content == jpeg(3) else decoder_pool.decode(content, **how)

    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", decode)
    items[2] = Item("2.jpg", partial(jpeg, 2))
    assert run(source, tmp_path / "decoded", encoder) == EncodeReport(items=6, encoded=5, failed=1, new=6)
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


def test_too_large_a_batch_for_the_gpu_is_one_sentence(
    photos: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Model, pixels: torch.Tensor) -> None:
        raise torch.OutOfMemoryError(f"CUDA out of memory with {len(pixels)} pictures")

    monkeypatch.setattr(Model, "images", full)
    with pytest.raises(ConfigError, match="3 pictures at once are too many for this GPU; lower --batch-size"):
        run(photos, tmp_path / "out", encoder, exact=True)
    monkeypatch.undo()
    assert run(photos, tmp_path / "out", encoder, exact=True).encoded == 18
