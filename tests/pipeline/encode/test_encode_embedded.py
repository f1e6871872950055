"""What camera and people wrote into pictures' files, in shards: as metadata, the same each time, or left out."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.jobs import rows
from support.making import contents, random_encoder
from support.pictures.embedded import BERLIN_PLACE, album

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.reterm import reterm_shards
from lexel.pipeline.encode.run import EncodeReport, encode_source
from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return album(tmp_path / "photos")


def encode(source: Path, out: Path, encoder: Encoder, *, exif: bool = True, retry: bool = False) -> EncodeReport:
    options = EncodeOptions(device="cpu", shard_size=3, batch_size=2, exif=exif, retry=retry)
    return encode_source(open_source(source), out, encoder=encoder, options=options)


def metadata(out: Path) -> dict[str, dict[str, Any]]:
    return {row["uri"]: json.loads(row["metadata"]) for row in rows(out)}


def test_without_exif_there_is_none_of_it(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "out", encoder, exif=False)
    assert metadata(tmp_path / "out") == {f"{i}.jpg": {} for i in range(4)}
    assert read_job(tmp_path / "out").exif is False


def test_what_a_source_says_goes_before_what_a_file_says(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    lines = [{"image": "0.jpg", "title": "Mine", "stars": 3}, {"image": "3.jpg"}]
    (photos / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    encode(photos / "m.jsonl", tmp_path / "out", encoder)
    found = metadata(tmp_path / "out")
    assert (found["0.jpg"]["title"], found["0.jpg"]["stars"]) == ("Mine", 3)
    assert (found["0.jpg"]["place"], found["0.jpg"]["keywords"]) == (BERLIN_PLACE, ["Grandma", "Berlin"])
    assert found["3.jpg"] == {}


def test_the_same_command_gives_the_same_bytes_and_another_is_refused(
    photos: Path, tmp_path: Path, encoder: Encoder
) -> None:
    encode(photos, tmp_path / "one", encoder)
    encode(photos, tmp_path / "two", encoder)
    before = contents(tmp_path / "one")
    assert before == contents(tmp_path / "two")
    assert encode(photos, tmp_path / "one", encoder, retry=True).new == 0
    with pytest.raises(ShardError, match=r"holds images with what .* wrote into them; leave out --no-exif, or"):
        encode(photos, tmp_path / "one", encoder, exif=False)
    encode(photos, tmp_path / "bare", encoder, exif=False)
    with pytest.raises(ShardError, match=r"holds images without what .* wrote into them; give --no-exif, or"):
        encode(photos, tmp_path / "bare", encoder)
    assert contents(tmp_path / "one") == before


def forget(folder: Path) -> None:
    about = json.loads((folder / "job.json").read_text())
    del about["exif"]
    (folder / "job.json").write_text(json.dumps(about))


def test_a_folder_of_an_older_lexel_goes_on_as_it_began_and_says_so(
    photos: Path, tmp_path: Path, encoder: Encoder
) -> None:
    encode(photos, tmp_path / "out", encoder, exif=False)
    wanted = contents(tmp_path / "out")
    forget(tmp_path / "out")
    (tmp_path / "out/shard-00001.parquet").unlink()
    for new in (1, 0):
        report = encode(photos, tmp_path / "out", encoder)
        assert report.new == new
        assert [note for note in report.notes if "was begun by an older lexel" in note]
    assert read_job(tmp_path / "out").exif is None
    assert {name: content for name, content in contents(tmp_path / "out").items() if name != "job.json"} == {
        name: content for name, content in wanted.items() if name != "job.json"
    }
    assert not encode(photos, tmp_path / "out", encoder, exif=False).notes


def test_new_words_keep_what_was_written(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "old", encoder)
    reterm_shards(tmp_path / "old", tmp_path / "new", encoder=encoder, batch_size=3, device="cpu")
    assert metadata(tmp_path / "new") == metadata(tmp_path / "old")
    assert read_job(tmp_path / "new").exif is True


def test_the_stored_thumbnails_are_clean(photos: Path, tmp_path: Path, encoder: Encoder) -> None:
    encode(photos, tmp_path / "out", encoder)
    for row in rows(tmp_path / "out"):
        with Image.open(io.BytesIO(row["thumbnail"])) as small:
            assert not small.getexif()
            assert small.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
