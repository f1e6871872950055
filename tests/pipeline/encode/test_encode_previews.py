"""Thumbnails and hashes in shards: made with the pictures, kept by every later step, and never made in vain."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from support.jobs import rows, run
from support.making import contents, photo_folder, picture, random_encoder
from support.synthetic import forget_looks

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode import run as job
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.reterm import reterm_shards
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ShardError
from lexel.pipeline.evaluate.evaluation_set import load_evaluation_set
from lexel.pipeline.images.decode import decode
from lexel.pipeline.images.preview import PreviewOptions, make_preview
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", count=10, size=(400, 300))


def encode(source: Path, out: Path, encoder: Encoder, thumbnail: int | None, *, captions: bool = False) -> EncodeReport:
    found = open_source(source, captions=captions)
    preview = None if thumbnail is None else PreviewOptions(thumbnail)
    options = EncodeOptions(preview=preview, device="cpu", shard_size=4, batch_size=3)
    return job.encode_source(found, out, encoder=encoder, options=options)


def test_every_picture_has_a_thumbnail_and_a_hash(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "out", encoder, 100)
    for row, path in zip(rows(tmp_path / "out"), sorted(photos.iterdir()), strict=True):
        wanted = make_preview(decode(path.read_bytes()).image, side=100)
        assert (row["thumbnail"], row["phash"]) == (wanted.thumbnail, wanted.phash)
        assert Image.open(io.BytesIO(row["thumbnail"])).size == (100, 75)
    assert read_job(tmp_path / "out").thumbnail == 100


def test_a_thumbnail_stands_upright(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "photos").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(size=(400, 200)).save(tmp_path / "photos/turned.jpg", exif=exif)
    encode(tmp_path / "photos", tmp_path / "out", encoder, 100)
    assert Image.open(io.BytesIO(rows(tmp_path / "out")[0]["thumbnail"])).size == (50, 100)


def test_without_thumbnails_there_are_hashes_and_without_looks_neither(
    photos: Path, tmp_path: Path, encoder: Encoder
) -> None:
    encode(photos, tmp_path / "hashes", encoder, 0)
    assert all(row["thumbnail"] is None and row["phash"] is not None for row in rows(tmp_path / "hashes"))
    encode(photos, tmp_path / "bare", encoder, None)
    assert all(row["thumbnail"] is None and row["phash"] is None for row in rows(tmp_path / "bare"))


def test_texts_have_no_look_and_need_no_size(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "t.txt").write_text("a dog\nthe snow\n")
    encode(tmp_path / "t.txt", tmp_path / "out", encoder, 100)
    assert all(row["thumbnail"] is None and row["phash"] is None for row in rows(tmp_path / "out"))


def test_another_size_is_refused_and_harms_nothing(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "out", encoder, 100)
    before = contents(tmp_path / "out")
    for other in (50, 0):
        with pytest.raises(ShardError, match=r"with thumbnails of 100 pixels.* give --thumbnail 100, or"):
            encode(photos, tmp_path / "out", encoder, other)
    encode(photos, tmp_path / "without", encoder, 0)
    with pytest.raises(ShardError, match=r"with no thumbnails.* give --thumbnail 0, or"):
        encode(photos, tmp_path / "without", encoder, 100)
    assert contents(tmp_path / "out") == before


def forget(folder: Path) -> None:
    """Make the shards what they were before pictures had looks."""
    about = json.loads((folder / "job.json").read_text())
    del about["thumbnail"]
    (folder / "job.json").write_text(json.dumps(about))
    for shard in finished_shards(folder):
        forget_looks(shard)


def test_old_shards_are_gone_on_with(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    bad = (photos / "005.jpg").read_bytes()
    (photos / "005.jpg").write_bytes(b"bad" + bad[3:])
    encode(photos, tmp_path / "out", encoder, 0)
    forget(tmp_path / "out")
    assert encode(photos, tmp_path / "out", encoder, 0).new == 0
    (photos / "005.jpg").write_bytes(bad)
    found = open_source(photos)
    options = EncodeOptions(preview=PreviewOptions(0), retry=True, device="cpu", shard_size=4, batch_size=3)
    again = job.encode_source(found, tmp_path / "out", encoder=encoder, options=options)
    assert again.encoded == 10
    by_uri = {row["uri"]: row.get("phash") for row in rows(tmp_path / "out")}
    assert [uri for uri, phash in by_uri.items() if phash is not None] == ["005.jpg"]


def test_new_words_keep_the_looks(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "old", encoder, 64)
    reterm_shards(tmp_path / "old", tmp_path / "new", encoder=encoder, batch_size=3, device="cpu")
    assert contents(tmp_path / "new") == contents(tmp_path / "old")
    forget(tmp_path / "old")
    reterm_shards(tmp_path / "old", tmp_path / "older", encoder=encoder, batch_size=3, device="cpu")
    assert [row["phash"] for row in rows(tmp_path / "older")] == [None] * 10


def test_judging_pays_for_no_looks(
    photos: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    lines = [{"image": f"photos/{path.name}", "captions": ["a dog"]} for path in sorted(photos.iterdir())]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    judged = load_evaluation_set(tmp_path / "m.jsonl", encoder=encoder, device="cpu")
    assert {(row["thumbnail"], row["phash"]) for row in rows(judged.folder)} == {(None, None)}


def test_plain_encoding_makes_thumbnails(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    run(photos, tmp_path / "out", encoder)
    assert all(max(Image.open(io.BytesIO(row["thumbnail"])).size) == 256 for row in rows(tmp_path / "out"))
