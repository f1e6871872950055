"""Image preprocessing: resize to uint8 on worker threads, normalise to float32 on the network's device."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn.functional import interpolate

# Aspect ratio; a longer image could exhaust memory when its short side is enlarged.
_LONGEST = 64
# Random crops in training make objects appear larger than they are in whole images; a larger test resolution makes up
# for it (Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019). MobileNetV2 on Flickr8k val
# gained two points of R@10 with 288 pixels instead of 224, and no more with 352.
ENLARGED = 9 / 7

Filter = Literal["bicubic", "bilinear"]
Rows = npt.NDArray[np.uint8]
# An RGB image, as Pillow's or as uint8 [H, W, 3].
Picture = Image.Image | Rows


@dataclass(frozen=True)
class Preprocess:
    """Resize to `size` x `size` pixels; normalise each channel by `mean` and `std` (in 0..1).

    With `crop` the short side is resized to `crop` pixels and the centre is cut out; without it the whole image is
    resized to the square.
    """

    size: int
    crop: int | None = None
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    filter: Filter = "bicubic"

    def config(self) -> dict[str, Any]:
        """The fields as a table, without the default filter: encoders older than `filter` keep their `features_id`."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("filter", "bicubic")}

    def __call__(self, image: Picture) -> torch.Tensor:
        """An RGB image to uint8 [3, size, size], which is a quarter of the size of float32 to copy to a GPU."""
        rows = rows_of(image)
        return self._cropped(rows) if self.crop else self._resized(rows, self.size, self.size)

    def normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 [..., 3, size, size] to normalised float32 on the same device; float32 is returned unchanged."""
        if pixels.dtype != torch.uint8:
            return pixels
        mean, std = (torch.tensor(values, device=pixels.device)[:, None, None] for values in (self.mean, self.std))
        # The order of operations in `transformers`, so that results are equal to the last bit.
        return (pixels.float() - 255 * mean).div_(255 * std)

    def _cropped(self, rows: Rows) -> torch.Tensor:
        rows = not_too_long(rows)
        sides = rows.shape[:2]
        # Rounded down, as `transformers` and torchvision do.
        height, width = (max(self.size, (self.crop or self.size) * side // min(sides)) for side in sides)
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return self._resized(rows, width, height)[:, top : top + self.size, left : left + self.size].contiguous()

    def _resized(self, rows: Rows, width: int, height: int) -> torch.Tensor:
        """Resize to [3, height, width], with Pillow's antialiasing filter but three times as fast."""
        square = torch.from_numpy(rows).permute(2, 0, 1)[None]
        return interpolate(square, size=(height, width), mode=self.filter, antialias=True)[0]


def enlarged_side(side: float, factor: float = ENLARGED) -> int:
    """`side` pixels times `factor`, as a multiple of 32: networks halve the side five times."""
    return 32 * round(side * factor / 32)


def rows_of(image: Picture) -> Rows:
    """An image as uint8 [H, W, 3]."""
    return np.array(image) if isinstance(image, Image.Image) else image


def not_too_long(rows: Rows) -> Rows:
    """Crop the long side of an image [H, W, 3] to _LONGEST times the short one, from the centre."""
    height, width = rows.shape[:2]
    longest = _LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return rows[top : top + longest, left : left + longest]
