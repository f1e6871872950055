"""Pictures of odd shapes on their way to a network."""

from pathlib import Path
from typing import Any

import pytest
import transformers as hf
from PIL import Image
from small_checkpoints import SQUARE

from lexel.encoders.checkpoints import ImageProcessor
from lexel.encoders.pixels import Preprocess


@pytest.mark.parametrize("size", [(65_000, 1), (1, 65_000), (3, 40_000)])
def test_a_long_picture_is_never_enlarged_whole(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """65,000 x 1 pixels, whose short side should become 224, would take 10 GB."""
    hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SQUARE).save_pretrained(tmp_path)
    processor = ImageProcessor(tmp_path)
    known, seen = type(processor._process).__call__, list[tuple[int, int]]()

    def watched(self: Any, images: Image.Image, **options: Any) -> Any:
        seen.append(images.size)
        return known(self, images, **options)

    monkeypatch.setattr(type(processor._process), "__call__", watched)
    assert processor.pixels(Image.new("RGB", size)).shape == (3, 32, 32)
    assert max(seen[0]) <= 64 * min(seen[0])
    assert Preprocess(32, crop=36)(Image.new("RGB", size)).shape == (3, 32, 32)
