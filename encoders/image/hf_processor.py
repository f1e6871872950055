"""The image processor of a `transformers` checkpoint: its own pixels, in half the time where we make the same."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.preprocess import Filter, Picture, Preprocess, not_too_long, rows_of
from lexel.encoders.runtime.hf_checkpoints import opening, quiet

# Wide, high, and of a shape where every way to round a side's length gives another.
_TRIED = ((96, 64), (64, 96), (331, 257))
# How Pillow numbers its filters, and checkpoints with it.
_FILTERS: dict[int, Filter] = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}


class ImageProcessor:
    """The checkpoint's image processor. It makes pixels of one shape only, since pictures are encoded in batches.

    With `whole` it squeezes the picture into the square that it would have cut out of the middle, or one `enlarged` by
    that factor, to a multiple of 32 pixels. `own` is the same in our words, where the two were seen to agree.
    """

    def __init__(self, folder: Path, *, whole: bool = False, enlarged: float = 1.0) -> None:
        from transformers import AutoImageProcessor

        with quiet(), opening(folder):
            self._process = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
            if whole and getattr(self._process, "do_center_crop", False):
                crop = self._process.crop_size
                sides = ("height", "width")
                square = {side: _multiple(crop[side] * enlarged) if enlarged > 1 else crop[side] for side in sides}
                self._process = type(self._process).from_pretrained(folder, size=square, do_center_crop=False)
            tried = [_noise(size) for size in _TRIED]
            found = [self._process(images=image, return_tensors="pt") for image in tried]
        if len({tuple(f["pixel_values"].shape) for f in found}) > 1:
            raise EncoderError(
                f"{folder} makes pictures of different sizes; give its image processor a fixed size or a crop."
            )
        self._patches = "spatial_shapes" in found[0]
        own = None if self._patches else _in_our_words(self._process)
        agrees = own and all(_same(own, i, f["pixel_values"][0]) for i, f in zip(tried, found, strict=True))
        self.own = own if agrees else None

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB picture to bytes [3, H, W], or to float32 numbers where only the checkpoint's own code makes them.

        SigLIP 2 may keep a picture's shape and reads N patches of P numbers: these come as [1, N, P + 3], where the
        last three say whether the patch is there and how many patches the picture is high and wide.
        """
        if self.own:
            return self.own(image)
        rows = rows_of(image)
        # What goes would be cut away after it had been enlarged.
        kept = not_too_long(rows) if getattr(self._process, "do_center_crop", False) else rows
        found = self._process(images=Image.fromarray(kept), return_tensors="pt")
        pixels: torch.Tensor = found["pixel_values"][0]
        if not self._patches:
            return pixels
        grid = found["spatial_shapes"].expand(len(pixels), 2)
        return torch.cat([pixels, found["pixel_attention_mask"].T, grid], dim=1)[None]

    def inputs(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """A batch of what `pixels` made, as the network's arguments."""
        if not self._patches:
            return {"pixel_values": self.own.normalised(pixels) if self.own else pixels}
        patches = pixels[:, 0]
        return {
            "pixel_values": patches[..., :-3],
            "pixel_attention_mask": patches[..., -3].int(),
            "spatial_shapes": patches[:, 0, -2:].long(),
        }

    def save(self, folder: Path) -> None:
        """Write the processor's own files."""
        self._process.save_pretrained(folder)


def _in_our_words(process: Any) -> Preprocess | None:
    """What the usual options of a processor ask for; None where it has others. It is a guess, to be tried."""
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
    # The same bytes, and what differs is how float32 rounds: a level of brightness is over 0.01.
    ours = own.normalised(own(image))
    return ours.shape == theirs.shape and bool((ours - theirs).abs().max() < 1e-4)


def _noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def _multiple(pixels: float) -> int:
    # What networks halve five times; anything else would lose a row at some step.
    return 32 * round(pixels / 32)
