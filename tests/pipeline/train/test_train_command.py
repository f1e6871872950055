"""`lexel train` from end to end, on drawn scenes: what it writes, that it goes on, and what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support import training
from typer.testing import CliRunner

from lexel.encoders import Encoder, open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.cli.main import app
from lexel.pipeline.encode import run as job
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.scenes import write
from lexel.pipeline.train import TrainOptions
from lexel.pipeline.train.data import image_features

OPTIONS = TrainOptions(epochs=2, min_count=2, views=1, device="cpu")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write(tmp_path_factory.mktemp("scenes"), count=40)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def lexel(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}).invoke(app, list(map(str, arguments)))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def command(scenes: Path, work: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    out = tmp_path_factory.mktemp("trained") / "words"
    return ["train", scenes, out, "--work", work, "--epochs", 2, "--min-count", 2, "--views", 1, "--device", "cpu"]


@pytest.fixture(scope="module")
def trained(command: list[object]) -> Encoder:
    """What the command writes."""
    code, stdout, stderr = lexel(*command)
    assert code == 0, stderr
    assert "head-lexicon   2/2" in stderr
    encoder = open_encoder(str(command[2]))
    assert encoder.fingerprint in stdout
    return encoder


def test_it_writes_an_encoder_its_figures_and_its_card(trained: Encoder) -> None:
    names = {path.relative_to(trained.folder).as_posix() for path in trained.folder.rglob("*") if path.is_file()}
    expected = {"lexel.json", "lexel.safetensors", "vocabulary.json", "calibration.json", "README.md", "words.txt"}
    assert names == expected | {"likely.npy", "near_words.npz", "training/history.json", "training/curves.png"}
    with Image.open(trained.folder / "training/curves.png") as picture:
        picture.load()
    calibration = json.loads((trained.folder / "calibration.json").read_text())
    assert calibration["vector_weight"] == {side: trained.vector_weight(side) for side in ("text", "image")}
    assert 0 < trained.vector_weight("text") < 1000
    assert calibration["least_cosine"] == {side: trained.least_cosine(side) for side in ("text", "image")}
    assert -1 < calibration["least_cosine"]["text"] < 1
    assert trained.name == "words"


def test_the_card_holds_the_figures_of_its_history(trained: Encoder) -> None:
    history = json.loads((trained.folder / "training/history.json").read_text())
    assert list(history) == ["head"]
    stage = history["head"]
    best = stage["epochs"][stage["best"]]
    card = (trained.folder / "README.md").read_text()
    assert f"| {stage['best'] + 1} of 2 | {best['R@1']:.1f} | {best['R@5']:.1f} | {best['R@10']:.1f} |" in card
    assert trained.fingerprint in card
    assert f"{len(trained.vocabulary):,} terms" in card


def test_every_other_command_takes_it(trained: Encoder, scenes: Path, tmp_path: Path) -> None:
    code, stdout, _ = lexel("terms", scenes.parent / "images/000003.jpg", "--encoder", trained.folder, "-k", 3)
    assert code == 0
    words = [line.split()[0] for line in stdout.splitlines()[-3:]]
    assert set(words) < set(trained.vocabulary.terms)
    code, _, stderr = lexel("encode", scenes, tmp_path / "shards", "--encoder", trained.folder, "--device", "cpu")
    assert code == 0, stderr
    assert lexel("stats", tmp_path / "shards")[0] == 0


def count_encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each call of `encode` that training makes has had to look at."""
    counts: list[int] = []

    def counted(*arguments: Any, **named: Any) -> job.EncodeReport:
        report = encode_source(*arguments, **named)
        counts.append(report.new)
        return report

    monkeypatch.setattr(image_features, "encode_source", counted)
    return counts


def test_the_same_command_again_ends_the_same_without_encoding(
    trained: Encoder, command: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = count_encoded(monkeypatch)
    card = (trained.folder / "README.md").read_text()
    code, _, stderr = lexel(*command)
    assert code == 0
    assert counts == [0, 0]
    assert "2/2" not in stderr
    again = open_encoder(str(trained.folder))
    assert again.fingerprint == trained.fingerprint
    assert (trained.folder / "README.md").read_text() == card


def stop(stage: str, epoch: int) -> Callable[[str, int, Any], None]:
    def heard(now: str, number: int, figures: Any) -> None:
        if (now, number) == (stage, epoch):
            raise KeyboardInterrupt

    return heard


def test_a_training_stopped_in_the_middle_ends_as_an_unbroken_one(
    trained: Encoder, scenes: Path, work: Path, tmp_path: Path
) -> None:
    """Another folder for the work, where the pictures are encoded already."""
    shutil.copytree(work, tmp_path / "work", ignore=shutil.ignore_patterns("*.pt"))
    given: dict[str, Any] = {"start": "lexel-tiny", "work": tmp_path / "work", "options": OPTIONS}
    with pytest.raises(KeyboardInterrupt):
        training.learned(scenes, tmp_path / "words", **given, reporter=training.listening(stop("head-lexicon", 1)))
    assert not (tmp_path / "words").exists()
    heard: list[int] = []
    listening = training.listening(lambda stage, epoch, figures: heard.append(epoch))
    resumed = training.learned(scenes, tmp_path / "words", **given, reporter=listening)
    assert heard == [1]
    assert resumed.encoder.fingerprint == trained.fingerprint


def test_another_head_learns_from_what_is_encoded(
    trained: Encoder, scenes: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it starts from an encoder that was trained on the same features, and towers are trained again."""
    counts = count_encoded(monkeypatch)
    options = TrainOptions(epochs=1, min_count=2, views=1, device="cpu", head="bce", tower="infonce")
    other = training.learned(scenes, tmp_path / "other", start=str(trained.folder), work=work, options=options)
    assert counts == [0, 0]
    assert next(iter(other.stages)) == "towers"
    assert other.encoder.features_id == trained.features_id
    assert other.encoder.fingerprint != trained.fingerprint
    # The towers began at the trained ones, not at chance.
    assert other.stages["towers"].epochs[0]["R@1"] > 50


def test_the_vocabulary_is_what_was_asked_for(scenes: Path, work: Path, tmp_path: Path) -> None:
    options = TrainOptions(
        epochs=1, views=1, device="cpu", size=60, aliases={"pup": "dog"}, banned=frozenset({"water"})
    )
    made = training.learned(scenes, tmp_path / "small", start="lexel-tiny", work=work, options=options).encoder
    assert len(made.vocabulary) == 60
    assert "water" not in made.vocabulary.terms
    assert made.vocabulary.forms["pup"] == "dog"


def test_a_collection_smaller_than_a_batch_of_two_captions(scenes: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in scenes.read_text().splitlines()[:4]]
    said = [["a dog"], ["a dog"], ["words that nobody knows", "a red dog"], ["a dog by the sea"]]
    few = training.manifest(
        tmp_path / "few.jsonl",
        [
            {"image": str(scenes.parent / row["image"]), "captions": own, "split": "val" if i > 1 else "train"}
            for i, (row, own) in enumerate(zip(rows, said, strict=True))
        ],
    )
    options = TrainOptions(epochs=1, views=1, min_count=1, words="new", device="cpu")
    made = training.learned(few, tmp_path / "few", start="lexel-tiny", work=tmp_path / "work", options=options)
    assert made.encoder.vocabulary.terms == ("dog",)


REFUSED: dict[str, tuple[list[object], str]] = {
    "head": (["--head", "magic"], "There is no head 'magic'; choose labels, zeroshot, bce, lexicon, expand."),
    "tower": (["--tower", "magic"], "There is no training of towers 'magic'; choose auto, keep"),
    "encoder": (["--encoder", "nothing-like-it"], "There is no encoder 'nothing-like-it'"),
    "labels": (["--head", "labels"], "The head labels needs the classifier's own features; give --encoder IMAGE+TEXT"),
    "words": (["--words", "new", "--min-count", 10_000], "No word stands in 10000 of the"),
    "kept": (["--encoder", "torchvision:resnet18:none+gru", "--tower", "keep"], "has nothing to keep"),
    "regions": (
        ["--encoder", "regions:fasterrcnn_mobilenet_v3_large_320_fpn:none+gru", "--head", "bce"],
        "cannot be read by the head bce; give `--head lexicon`",
    ),
    "by label": (["--tower", "labels"], "has no pictures with labels to learn from"),
}


@pytest.mark.parametrize(("options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_one_sentence_before_anything_is_encoded(
    options: list[object], says: str, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = count_encoded(monkeypatch)
    code, stdout, stderr = lexel(
        "train", scenes, tmp_path / "out", "--work", tmp_path / "work", "--device", "cpu", *options
    )
    assert (code, stdout, counts) == (1, "", [])
    lines = stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("lexel: ")
    assert says in lines[0]
    assert not (tmp_path / "out").exists()


def test_another_folder_is_not_written_over(scenes: Path, tmp_path: Path) -> None:
    code, _, stderr = lexel("train", scenes, scenes.parent, "--work", tmp_path / "work")
    assert code == 1
    assert (
        stderr.strip()
        == f"lexel: {scenes.parent} is there already and holds no encoder; give another folder for the new one."
    )
    assert not (tmp_path / "work").exists()


def test_towers_of_one_network_are_not_aligned(scenes: Path, tmp_path: Path) -> None:
    from support import small_checkpoints

    clip = small_checkpoints.save("clip", tmp_path / "clip")
    options = TrainOptions(tower="infonce", views=1, epochs=1, min_count=2, device="cpu")
    with pytest.raises(ConfigError, match=r"one network; give `--tower keep` or `lexel finetune`"):
        training.learned(scenes, tmp_path / "out", start=str(clip), work=tmp_path / "work", options=options)


def test_a_dual_encoder_gets_words(scenes: Path, tmp_path: Path) -> None:
    from support import small_checkpoints

    clip = small_checkpoints.save("clip", tmp_path / "clip")
    options = TrainOptions(views=2, epochs=1, min_count=2, device="cpu", head="expand")
    made = training.learned(scenes, tmp_path / "out", start=str(clip), work=tmp_path / "work", options=options)
    again = open_encoder(str(tmp_path / "out"))
    assert again.fingerprint == made.encoder.fingerprint
    assert again.expands
    assert list(made.stages) == ["head"]
    assert load_model(again, device="cpu").queries(["a dog on the beach"])[0]["dog"] > 0
