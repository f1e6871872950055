"""The image processor of a `transformers` checkpoint, replaced by our twice as fast one if both give equal pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.preprocess import Filter, Picture, Preprocess, enlarged_side, not_too_long, rows_of
from lexel.encoders.runtime.hf_checkpoints import opening, quiet

# Test images: wide, high, and one where each way to round the resized side gives a different length.
_TRIED = ((96, 64), (64, 96), (331, 257))
# Checkpoints give the resampling filter as Pillow's number.
_FILTERS: dict[int, Filter] = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}


class ImageProcessor:
    """The checkpoint's image processor, for one output shape. Raises EncoderError if it has more than one.

    With `whole` the image is resized to the square that would have been the centre crop, or to one `enlarged` by that
    factor and rounded to a multiple of 32 pixels. `own` is the equal `Preprocess`, None if there is none.
    """

    def __init__(self, folder: Path, *, whole: bool = False, enlarged: float = 1.0) -> None:
        from transformers import AutoImageProcessor

        with quiet(), opening(folder):
            self._process = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
            if whole and getattr(self._process, "do_center_crop", False):
                crop = self._process.crop_size
                sides = ("height", "width")
                square = {side: enlarged_side(crop[side], enlarged) if enlarged > 1 else crop[side] for side in sides}
                self._process = type(self._process).from_pretrained(folder, size=square, do_center_crop=False)
            tried = [_noise(size) for size in _TRIED]
            found = [self._process(images=image, return_tensors="pt") for image in tried]
        if len({tuple(f["pixel_values"].shape) for f in found}) > 1:
            raise EncoderError(
                f"{folder} makes pictures of different sizes; give its image processor a fixed size or a crop."
            )
        self._patches = "spatial_shapes" in found[0]
        own = None if self._patches else _equal_preprocess(self._process)
        agrees = own and all(_same(own, i, f["pixel_values"][0]) for i, f in zip(tried, found, strict=True))
        self.own = own if agrees else None

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to uint8 [3, H, W], or to float32 if only the checkpoint's own code can preprocess it.

        SigLIP 2 can keep the aspect ratio and reads N patches of P numbers: [1, N, P + 3], whose last three columns are
        the attention mask and the image's height and width in patches.
        """
        if self.own:
            return self.own(image)
        rows = rows_of(image)
        # Cropped before it is resized: the crop would discard the ends anyway, after enlarging them.
        kept = not_too_long(rows) if getattr(self._process, "do_center_crop", False) else rows
        found = self._process(images=Image.fromarray(kept), return_tensors="pt")
        pixels: torch.Tensor = found["pixel_values"][0]
        if not self._patches:
            return pixels
        grid = found["spatial_shapes"].expand(len(pixels), 2)
        return torch.cat([pixels, found["pixel_attention_mask"].T, grid], dim=1)[None]

    def inputs(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """A batch of `pixels` as keyword arguments of the network."""
        if not self._patches:
            return {"pixel_values": self.own.normalised(pixels) if self.own else pixels}
        patches = pixels[:, 0]
        return {
            "pixel_values": patches[..., :-3],
            "pixel_attention_mask": patches[..., -3].int(),
            "spatial_shapes": patches[:, 0, -2:].long(),
        }

    def save(self, folder: Path) -> None:
        """Write the processor's files."""
        self._process.save_pretrained(folder)


def _equal_preprocess(process: Any) -> Preprocess | None:
    """A guess at an equal `Preprocess` from the processor's options, to be compared; None if it has unusual ones."""
    try:
        size, crop = dict(process.size), dict(process.crop_size) if process.do_center_crop else None
        return Preprocess(
            (crop or size)["height"],
            size.get("shortest_edge"),
            tuple(process.image_mean),
            tuple(process.image_std),
            _FILTERS[process.resample],
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _same(own: Preprocess, image: Image.Image, theirs: torch.Tensor) -> bool:
    # Less than one level of 255 (over 0.01): only float32 rounding may differ.
    ours = own.normalised(own(image))
    return ours.shape == theirs.shape and bool((ours - theirs).abs().max() < 1e-4)


def _noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
