"""Captions for pictures that have none: what the network says, in a table that goes on, and that lexel reads again."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from support.commands import lexel
from support.jobs import rows, run
from support.listing import listed
from support.making import jpeg, photo_folder, picture, random_encoder
from support.small_checkpoints import SIDE, SQUARE, word_pieces
from support.web.file_server import file_server

from lexel.encoders.captioner import Captioner, seed_of
from lexel.encoders.encoder_error import EncoderError
from lexel.pipeline.encode import captioning as job
from lexel.pipeline.encode.captioning import Captioned, failures_of
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.sources.source import open_source


def blip(folder: Path) -> Path:
    """A small BLIP with random weights, large enough that its pictures differ."""
    torch.manual_seed(3)
    tokens = word_pieces()
    ids = {"bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    text = {**SIDE, **ids, "vocab_size": len(tokens), "max_position_embeddings": 64, "encoder_hidden_size": 32}
    vision = {**SIDE, "image_size": 32, "patch_size": 8, "initializer_range": 1.0}
    config = hf.BlipConfig(text_config={**text, "initializer_range": 0.5}, vision_config=vision, projection_dim=24)
    hf.BlipForConditionalGeneration(config).eval().save_pretrained(folder)
    hf.BlipProcessor(hf.BlipImageProcessor(size=SQUARE), tokens).save_pretrained(folder)
    return folder


def git(folder: Path) -> Path:
    """A small GIT, another kind of captioner."""
    torch.manual_seed(3)
    tokens = word_pieces()
    vision = {**SIDE, "image_size": 32, "patch_size": 8}
    ids = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = hf.GitConfig(vision_config=vision, vocab_size=len(tokens), **SIDE, **ids, max_position_embeddings=64)
    hf.GitForCausalLM(config).eval().save_pretrained(folder)
    pictures = hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SQUARE)
    hf.GitProcessor(pictures, tokens).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def captioner(checkpoint: Path) -> Captioner:
    return Captioner(checkpoint, device="cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", count=7)


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def captioned(source: Path, out: Path, captioner: Captioner, **options: Any) -> Captioned:
    return job.caption_source(open_source(source), out, captioner=captioner, batch_size=3, workers=2, **options)


@pytest.mark.parametrize("kind", [blip, git])
def test_the_best_caption_is_that_of_transformers(kind: Any, tmp_path: Path) -> None:
    folder, pictures = kind(tmp_path / "net"), [picture(seed) for seed in range(4)]
    mine = Captioner(folder, device="cpu")
    found = mine.captions(torch.stack([mine.pixels(p) for p in pictures]))
    processor = hf.AutoProcessor.from_pretrained(folder)
    network = hf.AutoModelForImageTextToText.from_pretrained(folder)
    made = network.generate(**processor(images=pictures, return_tensors="pt"), num_beams=3, max_new_tokens=30)
    expected = [" ".join(text.split()) for text in processor.batch_decode(made, skip_special_tokens=True)]
    assert [text for some in found for text in some] == expected
    assert all(expected)


def test_several_captions_are_drawn_as_transformers_draws_them(checkpoint: Path, captioner: Captioner) -> None:
    pictures = [picture(seed) for seed in range(3)]
    batch = torch.stack([captioner.pixels(p) for p in pictures])
    found = captioner.captions(batch, count=4, seed=9)
    processor = hf.AutoProcessor.from_pretrained(checkpoint)
    network = hf.BlipForConditionalGeneration.from_pretrained(checkpoint)
    torch.manual_seed(9)
    how = {"do_sample": True, "top_p": 0.9, "top_k": 0, "repetition_penalty": 1.1, "num_return_sequences": 4}
    made = network.generate(**processor(images=pictures, return_tensors="pt"), **how, max_new_tokens=30)
    texts = [" ".join(text.split()) for text in processor.batch_decode(made, skip_special_tokens=True)]
    assert found == [list(dict.fromkeys(filter(None, texts[i : i + 4]))) for i in (0, 4, 8)]
    assert found == captioner.captions(batch, count=4, seed=9) != captioner.captions(batch, count=4, seed=10)
    assert max(map(len, found)) > 1


def test_drawing_leaves_other_dice_alone(captioner: Captioner) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    captioner.captions(captioner.pixels(picture())[None], count=2)
    assert torch.equal(torch.rand(3), expected)
    assert seed_of(["a", "b"]) == seed_of(["a", "b"]) != seed_of(["b", "a"])


def test_a_checkpoint_that_captions_nothing_is_one_sentence(tmp_path: Path) -> None:
    from support.small_checkpoints import save

    with pytest.raises(EncoderError, match="is no checkpoint that captions pictures"):
        Captioner(save("clip", tmp_path / "clip"), device="cpu")
    with pytest.raises(EncoderError, match="is no folder, and the model hub did not give it"):
        Captioner(tmp_path / "nowhere", device="cpu")
    with pytest.raises(EncoderError, match="'abacus' cannot be used here"):
        Captioner(blip(tmp_path / "blip"), device="abacus")


def test_the_table_is_a_manifest_of_the_same_pictures(photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    out = tmp_path / "tables" / "captions.csv"
    assert captioned(photos, out, captioner, count=3) == Captioned(pictures=7, captioned=7, failed=0, new=7)
    assert not failures_of(out).exists()
    items = listed(out)
    # Not below the table's folder, so they are named absolutely.
    assert [item.uri for item in items] == [str(photos / f"{i:03d}.jpg") for i in range(7)]
    assert all(1 <= len(item.captions) <= 3 for item in items)
    assert items[0].content() == (photos / "000.jpg").read_bytes()
    assert run(out, tmp_path / "shards", random_encoder(tmp_path / "encoder")).encoded == 7
    assert [tuple(row["captions"]) for row in rows(tmp_path / "shards")] == [item.captions for item in items]


def test_pictures_beside_the_table_are_named_from_there(photos: Path, captioner: Captioner) -> None:
    captioned(photos, photos.parent / "captions.csv", captioner)
    assert [row[0] for row in table(photos.parent / "captions.csv")] == [
        "image", *(f"photos/{i:03d}.jpg" for i in range(7))
    ]  # fmt: skip
    (photos / "m.csv").write_text("image\n../photos/003.jpg\n003.jpg\n001.jpg\n")
    assert captioned(photos / "m.csv", photos / "c.csv", captioner).captioned == 2
    assert [row[0] for row in table(photos / "c.csv")] == ["image", "003.jpg", "001.jpg"]


def test_the_same_command_again_goes_on(photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    captioned(photos, whole, captioner, count=2)
    before = whole.read_bytes()
    assert captioned(photos, whole, captioner, count=2) == Captioned(pictures=7, captioned=7, failed=0, new=0)
    assert whole.read_bytes() == before

    class KilledError(Exception):
        pass

    class Dying:
        """Dies at the second batch."""

        plan = staticmethod(lambda *, total, done: None)

        def advance(self, *, encoded: int, failed: int) -> None:
            raise KilledError

    with pytest.raises(KilledError):
        captioned(photos, out, captioner, count=2, progress=Dying())
    assert len({row[0] for row in table(out)}) == 1 + 3
    assert captioned(photos, out, captioner, count=2).new == 4
    assert out.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 5, 60, 10_000_000])
def test_what_a_power_cut_left_is_mended(cut: int, photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    out = tmp_path / "out.csv"
    captioned(photos, out, captioner, count=2)
    images = {row[0] for row in table(out)}
    whole = out.read_bytes()
    out.write_bytes(whole[:-cut] if cut < len(whole) else b"image,cap")
    done = captioned(photos, out, captioner, count=2)
    assert (done.captioned, done.new >= 1) == (7, True)
    assert {row[0] for row in table(out)} == images
    assert all(len(row) == 2 and all(row) for row in table(out))


def test_bad_pictures_are_listed_and_can_be_tried_again(photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    out, good = tmp_path / "out.csv", (photos / "004.jpg").read_bytes()
    (photos / "001.jpg").write_bytes(b"")
    (photos / "004.jpg").write_bytes(b"bad")
    assert captioned(photos, out, captioner) == Captioned(pictures=7, captioned=5, failed=2, new=7)
    assert failures_of(out) == tmp_path / "out.failures.csv"
    assert table(failures_of(out)) == [
        ["image", "reason"],
        ["photos/001.jpg", "empty: the file has zero bytes"],
        ["photos/004.jpg", "not an image: no decoder knows these bytes"],
    ]
    assert captioned(photos, out, captioner).new == 0
    (photos / "004.jpg").write_bytes(good)
    assert captioned(photos, out, captioner, retry=True) == Captioned(pictures=7, captioned=6, failed=1, new=2)
    assert [row[0] for row in table(failures_of(out))] == ["image", "photos/001.jpg"]
    assert len({item.uri for item in listed(out)}) == len(listed(out)) == 6


def test_names_and_captions_of_every_kind_survive_the_table(
    tmp_path: Path, captioner: Captioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photo_folder(tmp_path / "photos", count=1)
    for name in ('a "quoted", one.jpg', "[x].jpg", "zwölf.jpg", "two\nlines.jpg"):
        (folder / name).write_bytes((folder / "000.jpg").read_bytes())
    said = ['a dog, "Rex"', "[a dog]", "Mädchen"]
    monkeypatch.setattr(captioner, "captions", lambda pixels, *, count, seed: [said for _ in pixels])
    captioned(folder, folder / "c.csv", captioner, count=3)
    items = listed(folder / "c.csv")
    assert {item.uri for item in items} == {path.name for path in folder.glob("*.jpg")}
    assert all(item.captions == tuple(said) for item in items)
    assert captioned(folder, folder / "c.csv", captioner).new == 0


def test_a_picture_that_nothing_is_said_of_has_failed(
    photos: Path, tmp_path: Path, captioner: Captioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioner, "captions", lambda pixels, *, count, seed: [[] for _ in pixels])
    assert captioned(photos, tmp_path / "c.csv", captioner).failed == 7
    assert table(failures_of(tmp_path / "c.csv"))[1][1] == "the network generated no caption"


def test_what_cannot_be_captioned_is_one_sentence(photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.csv"):
        captioned(photos, tmp_path / "captions.jsonl", captioner)
    (tmp_path / "t.txt").write_text("a dog\n")
    with pytest.raises(SourceError, match="contains texts"):
        captioned(tmp_path / "t.txt", tmp_path / "c.csv", captioner)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="nothing to caption"):
        captioned(tmp_path / "empty", tmp_path / "c.csv", captioner)
    for text in (
        "image,label\na.jpg,dog\n",
        "image,label\na.jpg,dog",
        "image,caption\na.jpg,x,y\n",
        "\x00",
        "whatever",
    ):
        (tmp_path / "theirs.csv").write_text(text)
        with pytest.raises(ConfigError, match="not a table that this command made"):
            captioned(photos, tmp_path / "theirs.csv", captioner)
        assert (tmp_path / "theirs.csv").read_text() == text


def test_pictures_in_a_tar_are_to_be_unpacked(photos: Path, tmp_path: Path, captioner: Captioner) -> None:
    import tarfile

    with tarfile.open(photos / "more.tar", "w") as tar:
        tar.add(photos / "000.jpg", "packed.jpg")
    with pytest.raises(SourceError, match=r"more\.tar is a tar, .*; unpack it first"):
        captioned(photos / "more.tar", tmp_path / "c.csv", captioner)
    assert captioned(photos, tmp_path / "c.csv", captioner) == Captioned(pictures=8, captioned=7, failed=1, new=8)
    assert "inside a tar" in table(failures_of(tmp_path / "c.csv"))[1][1]


def test_the_command_captions_a_folder(photos: Path, tmp_path: Path, checkpoint: Path) -> None:
    (photos / "002.jpg").write_bytes(b"")
    out = str(tmp_path / "captions.csv")
    answer = lexel("caption", str(photos), out, "--model", str(checkpoint), "--count", "2", "--device", "cpu")
    assert answer.returncode == 0, answer.stderr
    assert "6 of 7 pictures captioned" in answer.stdout
    assert "1 failed" in answer.stdout
    assert len(listed(Path(out))) == 6


def test_pictures_elsewhere_are_named_by_their_address(tmp_path: Path, captioner: Captioner) -> None:
    with file_server() as web:
        web.files |= {"set/a b.jpg": jpeg(1), "set/m.csv": b"image\na b.jpg\n"}
        out = tmp_path / "captions.csv"
        job.caption_source(open_source(f"{web.url}/set/m.csv"), out, captioner=captioner, batch_size=3, workers=2)
        (item,) = listed(out)
        assert (item.uri, item.content()) == (f"{web.url}/set/a%20b.jpg", jpeg(1))
