"""A dual encoder is fine-tuned on pixels and captions: by its own loss, in chunks, over bad pictures and stops."""

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import making, small_checkpoints
from torch import Tensor, nn
from typer.testing import CliRunner

from lexel.encoders import EncoderError, open_encoder
from lexel.encoders.model import load_model
from lexel.encoders.towers import DualTower
from lexel.pipeline.cli.main import app
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.progress import QUIET
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.train import TrainingReporter
from lexel.pipeline.train.data.image_batches import ImageBatch, ImageDataset
from lexel.pipeline.train.finetune import Finetuned, finetune_encoder
from lexel.pipeline.train.tasks import dual_encoder_task
from lexel.pipeline.train.tasks.dual_encoder_task import ContrastRecipe, ContrastTask, own_loss
from lexel.pipeline.train.tasks.schedule import Schedule

CPU = torch.device("cpu")
COLOURS = ("red", "green", "blue", "white", "black", "yellow")


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """float32 even where bfloat16 is faster."""
    monkeypatch.setattr(dual_encoder_task, "fast", lambda device: nullcontext())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Small random checkpoints by kind, each made once."""
    root = tmp_path_factory.mktemp("checkpoints")
    return lambda kind: root / kind if (root / kind).exists() else small_checkpoints.save(kind, root / kind)


def drawn(folder: Path, *, count: int = 12) -> Path:
    """A manifest of `count` smooth pictures with two captions each, every fourth one for val."""
    making.photo_folder(folder, count=count)
    rows = [
        {
            "image": f"{i:03d}.jpg",
            "captions": [f"{i} {COLOURS[i % 6]} dog", f"{i} in snow"],
            "split": "val" if i % 4 == 3 else "train",
        }
        for i in range(count)
    ]
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "captions.jsonl"


def quiet(seen: list[tuple[int, dict[str, float]]] | None = None) -> TrainingReporter:
    def epoch(stage: str, number: int, of: int, figures: dict[str, float]) -> None:
        if seen is not None:
            seen.append((number, figures))

    return TrainingReporter(lambda what: nullcontext(QUIET), epoch)


def recipe(*, epochs: int = 2, batch: int = 4, rate: float = 1e-3, **other: Any) -> ContrastRecipe:
    return ContrastRecipe(Schedule(epochs=epochs, batch=batch, rate=rate, patience=99), **other)


def run(captions: Path, out: Path, base: Path | str, plan: ContrastRecipe, *, work: str = "work") -> Finetuned:
    source = open_source(captions)
    return finetune_encoder(
        source, out, encoder=str(base), work=out.parent / work, recipe=plan, reporter=quiet(), device="cpu", workers=2
    )


def album(captions: Path, tower: DualTower) -> ImageDataset:
    return ImageDataset(open_source(captions), preprocessor=tower, device=CPU, workers=2)


def task_of(base: Path, captions: Path, **choices: Any) -> ContrastTask:
    torch.manual_seed(0)
    tower = DualTower(base)
    return ContrastTask(tower, val=album(captions, tower), recipe=recipe(**choices), device=CPU)


def batch_of(task: ContrastTask, size: int = 12) -> ImageBatch:
    return next(task.val.batches(size=size, views=1, seed=0, epoch=0))


def slopes(task: ContrastTask, batch: ImageBatch) -> dict[str, Tensor]:
    torch.manual_seed(7)
    task.module.zero_grad()
    task.loss(batch, 0.0)[0].backward()  # type: ignore[no-untyped-call]
    return {name: p.grad.clone() for name, p in task.module.named_parameters() if p.grad is not None}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("kind", ["clip", "siglip", "chinese_clip"])
def test_the_loss_is_that_of_transformers(kind: str, small: Callable[[str], Path], tmp_path: Path) -> None:
    task = task_of(small(kind), drawn(tmp_path / "photos"))
    net, batch = task.tower.net, batch_of(task)
    if hasattr(net, "logit_bias"):
        nn.init.constant_(net.logit_bias, -3.0)
        nn.init.constant_(net.logit_scale, 1.5)
    padding = "max_length" if kind == "siglip" else True
    options = {"truncation": True, "max_length": 16, "return_tensors": "pt"}
    tokens = task.tower.tokenizer(list(batch.texts), padding=padding, **options)
    theirs = net(**tokens, **task.tower.processor.inputs(batch.pixels), return_loss=True).loss
    assert len(set(batch.texts)) == 12
    assert task.loss(batch, 0.0)[0].item() == pytest.approx(theirs.item(), rel=1e-5)


def test_a_caption_that_two_pictures_share_is_no_negative_of_either(
    small: Callable[[str], Path], tmp_path: Path
) -> None:
    captions = drawn(tmp_path / "photos")
    rows = [json.loads(line) | {"captions": ["A dog.", "a dog."]} for line in captions.read_text().splitlines()]
    captions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for kind in ("clip", "siglip"):
        task = task_of(small(kind), captions)
        assert batch_of(task).same.all()
        images, texts, same = torch.eye(4), torch.eye(4)[[1, 0, 2, 3]], torch.eye(4).bool()
        apart = own_loss(task.tower.net, images, texts, same)
        same[0, 1] = same[1, 0] = True
        assert own_loss(task.tower.net, images, texts, same) < apart


def test_rows_of_one_picture_that_stand_apart_are_one_picture(small: Callable[[str], Path], tmp_path: Path) -> None:
    making.photo_folder(tmp_path, count=2)
    (tmp_path / "c.csv").write_text("image,caption\n000.jpg,a dog\n001.jpg,a cat\n000.jpg,snow\n")
    found = album(tmp_path / "c.csv", DualTower(small("clip")))
    assert [item.captions for item in found.items] == [("a dog", "snow"), ("a cat",)]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_chunks_have_the_gradients_of_the_whole_batch(kind: str, small: Callable[[str], Path], tmp_path: Path) -> None:
    captions = drawn(tmp_path / "photos")
    whole, chunked = task_of(small(kind), captions), task_of(small(kind), captions, chunk=5)
    batch = batch_of(whole)
    expected, found = slopes(whole, batch), slopes(chunked, batch)
    assert expected.keys() == found.keys()
    largest = max(float(slope.abs().max()) for slope in expected.values())
    for name, slope in expected.items():
        assert torch.allclose(found[name], slope, rtol=1e-4, atol=1e-6 * largest), name


def wake_dropout(task: ContrastTask) -> None:
    for module in task.tower.net.modules():
        if hasattr(module, "is_causal") and hasattr(module, "dropout"):
            module.dropout = 0.3
    task.module.train()


@pytest.mark.usefixtures("exact")
def test_a_chunk_is_gone_through_again_with_the_same_dropout(
    small: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(small("clip"), drawn(tmp_path / "photos"), chunk=5)
    wake_dropout(task)
    batch = batch_of(task)
    found = slopes(task, batch)
    monkeypatch.setattr(dual_encoder_task, "checkpoint", lambda forward, some, use_reentrant: forward(some))
    expected = slopes(task, batch)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    torch.manual_seed(8)
    other = task.loss(batch, 0.0)[0]
    torch.manual_seed(7)
    assert task.loss(batch, 0.0)[0] != other  # dropout was awake


def test_no_more_than_a_chunk_is_in_the_network_at_once(small: Callable[[str], Path], tmp_path: Path) -> None:
    task = task_of(small("clip"), drawn(tmp_path / "photos"), chunk=5)
    batch = batch_of(task)
    sizes: list[int] = []
    held, most = 0, 0

    def pack(kept: Tensor) -> Tensor:
        nonlocal held, most
        held += kept.numel()
        most = max(most, held)
        return kept

    task.tower.net.vision_model.register_forward_hook(lambda net, args, out: sizes.append(len(out.pooler_output)))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept):
        loss, _ = task.loss(batch, 0.0)
    chunked = most
    loss.backward()  # type: ignore[no-untyped-call]
    assert sizes == [5, 5, 2, 2, 5, 5]  # backwards the last chunk comes first
    plain, held, most = task_of(small("clip"), drawn(tmp_path / "again")), 0, 0
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept):
        plain.loss(batch, 0.0)
    assert chunked < most / 10


@pytest.mark.parametrize(("freeze", "still"), [("image", "vis"), ("text", "text"), ("none", None)])
def test_a_frozen_side_stays_as_it_is(
    freeze: str, still: str | None, small: Callable[[str], Path], tmp_path: Path
) -> None:
    task = task_of(small("clip"), drawn(tmp_path / "photos"), freeze=freeze)
    task.module.train()
    found = slopes(task, batch_of(task))
    learned = {name.split(".")[2] for name in found}
    every = {"logit_scale", "vision_model", "visual_projection", "text_model", "text_projection"}
    assert learned == {name for name in every if still is None or not name.startswith(still)}
    assert task.tower.net.vision_model.training == (freeze != "image")
    assert task.tower.net.text_model.training == (freeze != "text")


def test_batch_norm_keeps_what_it_knows(small: Callable[[str], Path], tmp_path: Path) -> None:
    task = task_of(small("align"), drawn(tmp_path / "photos"), chunk=5)
    before = {name: value.clone() for name, value in task.tower.net.named_buffers() if "running" in name}
    task.module.train()
    assert slopes(task, batch_of(task))
    assert before
    assert all(torch.equal(value, before[name]) for name, value in task.tower.net.named_buffers() if name in before)


def test_the_scale_of_scores_is_bounded_as_clip_s(small: Callable[[str], Path], tmp_path: Path) -> None:
    captions = drawn(tmp_path / "photos")
    clip, siglip, align = (task_of(small(kind), captions) for kind in ("clip", "siglip", "align"))
    for task in (clip, siglip):
        nn.init.constant_(task.tower.net.logit_scale, 9.0)
        task.loss(batch_of(task), 0.0)
    nn.init.constant_(align.tower.net.temperature, 1e-9)
    align.loss(batch_of(align), 0.0)
    assert clip.tower.net.logit_scale.exp().item() == pytest.approx(100)
    assert siglip.tower.net.logit_scale.item() == 9
    assert 1 / align.tower.net.temperature.item() == pytest.approx(100)


def test_pictures_are_read_in_order_without_the_bad_ones(small: Callable[[str], Path], tmp_path: Path) -> None:
    captions = drawn(tmp_path, count=12)
    (tmp_path / "002.jpg").write_bytes(making.jpeg(2)[:300])
    (tmp_path / "005.jpg").unlink()
    tower = DualTower(small("clip"))
    found = album(captions, tower)
    every = [(rows, pixels) for rows, pixels in found.pictures("all", size=5)]
    assert [len(rows) for rows, _ in every] == [4, 4, 2]
    rows = np.concatenate([rows for rows, _ in every])
    assert rows.tolist() == [0, 1, 3, 4, 6, 7, 8, 9, 10, 11]
    assert torch.equal(every[1][1][0], tower.pixels(making_open(tmp_path / "006.jpg")))
    assert found.failed.keys() == {"002.jpg", "005.jpg"}
    batches = list(found.batches(size=6, views=1, seed=0, epoch=0))
    assert sum(len(batch.texts) for batch in batches) == 2 * 10  # two captions a picture
    assert all(batch.pixels.shape[0] == len(batch.texts) == len(batch.same) for batch in batches)
    lesson = found.encoded(rows, torch.zeros(10, 3))
    assert len(lesson.texts) == 20
    assert [lesson.texts[i] for i in lesson.first[:-1]] == [f"{i} {COLOURS[i % 6]} dog" for i in rows]


def making_open(path: Path) -> Any:
    from lexel.pipeline.images.decode import decode

    return decode(path.read_bytes()).image


def test_an_epoch_s_batches_are_the_same_each_time_and_differ_from_the_next_ones(
    small: Callable[[str], Path], tmp_path: Path
) -> None:
    found = album(drawn(tmp_path), DualTower(small("clip")))

    def epoch(number: int, views: int = 1) -> list[tuple[tuple[str, ...], float]]:
        batches = found.batches(size=4, views=views, seed=3, epoch=number)
        return [(batch.texts, float(batch.pixels.double().sum())) for batch in batches]

    assert epoch(0) == epoch(0)
    assert epoch(0) != epoch(1)
    assert epoch(0, views=4) == epoch(0, views=4)
    assert {pixels for _, pixels in epoch(0, views=4)} != {pixels for _, pixels in epoch(0)}


def test_pictures_of_which_none_can_be_read_are_one_sentence(small: Callable[[str], Path], tmp_path: Path) -> None:
    captions = drawn(tmp_path / "photos", count=8)
    for path in captions.parent.glob("*.jpg"):
        path.unlink()
    with pytest.raises(SourceError, match=r"None of the 2 images can be read, such as 003\.jpg"):
        run(captions, tmp_path / "out", small("clip"), recipe())


@pytest.fixture(scope="module")
def photographs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 photographs of Flickr8k's train with four of their captions each, made small; val is one of the four."""
    folder = tmp_path_factory.mktemp("flickr")
    rows = [json.loads(line) for line in (shared / "data/flickr8k/captions.jsonl").read_text().splitlines()[:64]]
    with (folder / "captions.jsonl").open("w") as file:
        for split, first, last in (("train", 0, 4), ("val", 0, 1)):
            (folder / split).mkdir()
            for i, row in enumerate(rows):
                name = f"{split}/{i}.png"
                Image.open(shared / "data/flickr8k" / row["image"]).resize((32, 32)).save(folder / name)
                own = {"image": name, "split": split, "captions": row["captions"][first:last]}
                file.write(json.dumps(own) + "\n")
    return folder / "captions.jsonl"


@pytest.mark.parametrize(("kind", "seed"), [("clip", 0), ("clip", 1), ("siglip", 0)])
def test_a_random_checkpoint_learns_from_photographs(kind: str, seed: int, photographs: Path, tmp_path: Path) -> None:
    torch.manual_seed(seed)
    net, processor = small_checkpoints.DUAL[kind]()
    if kind == "siglip":  # as its paper begins, section 3.2
        nn.init.constant_(net.logit_scale, math.log(10))
        nn.init.constant_(net.logit_bias, -10)
    net.save_pretrained(tmp_path / "base")
    processor.save_pretrained(tmp_path / "base")
    plan = ContrastRecipe(Schedule(epochs=8, batch=32, rate=5e-3, patience=99, seed=seed))
    made = run(photographs, tmp_path / "out", tmp_path / "base", plan)
    best = made.history.epochs[made.history.best]
    # By chance the right one of 64 is among the first ten 16 times in a hundred.
    assert made.before["R@10"] < 30
    assert best["R@10"] > 40
    assert best["back R@10"] > 40
    assert made.better


def test_a_stopped_training_goes_on_as_if_it_never_had(small: Callable[[str], Path], tmp_path: Path) -> None:
    captions, plan = drawn(tmp_path / "photos"), recipe(epochs=3, views=2)
    whole = run(captions, tmp_path / "whole", small("clip"), plan, work="one")

    def stop(stage: str, number: int, of: int, figures: dict[str, float]) -> None:
        if number == 1:  # before the state of the second epoch is written
            raise KeyboardInterrupt

    teller = TrainingReporter(lambda what: nullcontext(QUIET), stop)
    where = {"encoder": str(small("clip")), "work": tmp_path / "two", "device": "cpu", "workers": 2}
    with pytest.raises(KeyboardInterrupt):
        finetune_encoder(open_source(captions), tmp_path / "broken", recipe=plan, reporter=teller, **where)  # type: ignore[arg-type]
    assert not (tmp_path / "broken").exists()
    seen: list[tuple[int, dict[str, float]]] = []
    resumed = finetune_encoder(open_source(captions), tmp_path / "broken", recipe=plan, reporter=quiet(seen), **where)  # type: ignore[arg-type]
    assert [number for number, _ in seen] == [-1, 1, 2]
    assert resumed.history == whole.history
    assert resumed.encoder.fingerprint == whole.encoder.fingerprint != open_encoder(str(small("clip"))).fingerprint
    # Another training does not go on from there.
    seen.clear()
    finetune_encoder(open_source(captions), tmp_path / "other", recipe=recipe(epochs=1), reporter=quiet(seen), **where)  # type: ignore[arg-type]
    assert [number for number, _ in seen] == [-1, 0]


def test_the_command_makes_an_encoder_over_a_bad_picture(
    small: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    captions = drawn(tmp_path / "photos")
    (tmp_path / "photos/000.jpg").write_bytes(b"<html>")
    options = ["--epochs", "2", "--batch", "4", "--chunk", "2", "--rate", "0.001", "--device", "cpu", "--workers", "2"]
    said = CliRunner().invoke(
        app, ["finetune", str(captions), str(tmp_path / "own"), "--encoder", str(small("siglip")), *options]
    )
    assert said.exit_code == 0, said.output
    assert "1 of the images could not be read, such as 000.jpg: not an image" in " ".join(said.output.split())
    made, base = open_encoder(str(tmp_path / "own")), open_encoder(str(small("siglip")))
    assert made.name == "own"
    assert made.vocabulary.hash == base.vocabulary.hash
    assert made.features_id != base.features_id
    assert made.config["head"]["kind"] == "zeroshot"
    model = load_model(made, device="cpu")
    encoded = model.images(model.pixels(making.picture(1))[None])
    assert encoded.terms[0]
    assert not np.allclose(
        encoded.vectors, load_model(base, device="cpu").images(model.pixels(making.picture(1))[None]).vectors
    )
    history = json.loads((tmp_path / "own/training/history.json").read_text())
    assert history["before"]["epochs"][0]["R@1"] == round(history["before"]["epochs"][0]["R@1"], 2)
    assert len(history["finetune"]["epochs"]) == 2
    assert json.loads((tmp_path / "own/training/failures.json").read_text()).keys() == {"000.jpg"}
    assert (tmp_path / "own/training/curves.png").read_bytes().startswith(b"\x89PNG")
    assert 0 < made.vector_weight("text") < 1e6
    with pytest.raises(ConfigError, match="holds the encoder to start from"):
        run(captions, tmp_path / "own", tmp_path / "own", recipe())
    card = (tmp_path / "own/README.md").read_text()
    assert "fine-tuned end to end by its own loss in batches of 4 at a rate of 0.001" in card


def test_what_is_no_dual_encoder_is_one_sentence(small: Callable[[str], Path], tmp_path: Path, shared: Path) -> None:
    captions = drawn(tmp_path / "photos")
    making.random_encoder(tmp_path / "pair")
    for base in (tmp_path / "pair", "torchvision:resnet50+gru"):
        with pytest.raises(ConfigError, match="only a dual encoder is fine-tuned"):
            run(captions, tmp_path / "out", base, recipe())
    with pytest.raises(EncoderError, match="does not encode both"):
        run(captions, tmp_path / "out", shared / "models/mobilenet_v2", recipe())
    with pytest.raises(ConfigError, match="There is no side 'words' to freeze"):
        recipe(freeze="words")
    with pytest.raises(ConfigError, match="holds no encoder"):
        run(captions, tmp_path / "photos", small("clip"), recipe())
    tower = DualTower(small("clip"))
    del tower.net.logit_scale
    with pytest.raises(ConfigError, match="no learned scale"):
        ContrastTask(tower, val=album(captions, tower), recipe=recipe(), device=CPU)


def test_a_batch_that_the_gpu_cannot_hold_is_one_sentence(
    small: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(dual_encoder_task, "own_loss", full)
    with pytest.raises(ConfigError, match=r"4 pictures at once are too many for this GPU; give --chunk"):
        run(drawn(tmp_path / "photos"), tmp_path / "out", small("clip"), recipe())
