"""Pictures on their way to a network: the checkpoint's own pixels, whoever computes them, and those of odd shapes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from support import small_checkpoints
from support.small_checkpoints import SQUARE

from lexel.encoders.image.hf_processor import ImageProcessor
from lexel.encoders.image.preprocess import Preprocess

CROPPED = {"size": {"shortest_edge": 36}, "crop_size": SQUARE}


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "process",
    [
        lambda: hf.CLIPImageProcessor(**CROPPED),
        lambda: hf.CLIPImageProcessor(**CROPPED, image_mean=[0.1, 0.2, 0.3], image_std=[0.6, 0.5, 0.4], resample=2),
        lambda: hf.ViTImageProcessor(size=SQUARE),
        lambda: hf.SiglipImageProcessor(size=SQUARE),
        lambda: hf.ChineseCLIPImageProcessor(size=SQUARE, crop_size=SQUARE),
    ],
)
def test_our_pixels_are_the_checkpoint_s(process: Callable[[], Any], tmp_path: Path) -> None:
    process().save_pretrained(tmp_path)
    processor, theirs = ImageProcessor(tmp_path), hf.AutoImageProcessor.from_pretrained(tmp_path)
    assert processor.own is not None
    for size in [(640, 427), (427, 640), (333, 500), (31, 33), (200, 199), (1, 60), (700, 20)]:
        pixels = processor.pixels(noise(*size))
        assert pixels.dtype == torch.uint8
        expected = theirs(images=noise(*size), return_tensors="pt")["pixel_values"]
        assert torch.allclose(processor.inputs(pixels[None])["pixel_values"], expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"do_normalize": False},
        {"do_rescale": False},
        {"rescale_factor": 1 / 127.5},
        {"do_resize": False},
        {"resample": 0},
        {"crop_size": {"height": 40, "width": 40}},  # larger than what it is cut from: padded
        {"crop_size": {"height": 32, "width": 24}},
    ],
)
def test_what_we_do_not_do_is_left_to_the_checkpoint_s_own_code(options: dict[str, Any], tmp_path: Path) -> None:
    hf.CLIPImageProcessor(**CROPPED | options).save_pretrained(tmp_path)
    processor, theirs = ImageProcessor(tmp_path), hf.AutoImageProcessor.from_pretrained(tmp_path)
    assert processor.own is None
    expected = theirs(images=noise(90, 60), return_tensors="pt")["pixel_values"]
    assert torch.equal(processor.inputs(processor.pixels(noise(90, 60))[None])["pixel_values"], expected.float())


def test_patches_stay_the_checkpoint_s_own(tmp_path: Path) -> None:
    assert ImageProcessor(small_checkpoints.save("siglip2", tmp_path)).own is None


@pytest.mark.parametrize("size", [(65_000, 1), (1, 65_000), (3, 40_000)])
@pytest.mark.parametrize("own", [True, False])
def test_a_long_picture_is_never_enlarged_whole(
    own: bool, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """65,000 x 1 pixels, whose short side should become 224, would take 10 GB."""
    hf.CLIPImageProcessor(**CROPPED | ({} if own else {"do_normalize": False})).save_pretrained(tmp_path)
    processor, seen = ImageProcessor(tmp_path), list[tuple[int, int]]()

    def watched(known: Callable[..., Any], where: int) -> Callable[..., Any]:
        def call(*positional: Any, **options: Any) -> Any:
            seen.append(options["images"].size if "images" in options else positional[where].shape[:2])
            return known(*positional, **options)

        return call

    monkeypatch.setattr(Preprocess, "_resized", watched(Preprocess._resized, 1))
    kind = type(processor._process)
    monkeypatch.setattr(kind, "__call__", watched(kind.__call__, 1))
    assert processor.pixels(Image.new("RGB", size)).shape == (3, 32, 32)
    assert len(seen) == 1
    assert max(seen[0]) <= 64 * min(seen[0])
    assert Preprocess(32, crop=36)(Image.new("RGB", size)).shape == (3, 32, 32)


def test_numbers_are_not_normalised_again() -> None:
    prepare = Preprocess(32, None, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    numbers = prepare.normalised(prepare(noise(60, 40)))
    assert torch.equal(prepare.normalised(numbers), numbers)


@pytest.mark.parametrize("prepare", [Preprocess(32), Preprocess(24, 32, (0.1, 0.2, 0.3), filter="bilinear")])
def test_it_comes_back_from_its_config(prepare: Preprocess) -> None:
    assert Preprocess(**prepare.config()) == prepare
    assert ("filter" in prepare.config()) == (prepare.filter != "bicubic")  # the first encoders name none
