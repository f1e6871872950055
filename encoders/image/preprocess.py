"""From a decoded picture to the numbers a network takes: bytes on the way, numbers where the network is."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn.functional import interpolate

# No real picture is longer; one that is could take all memory where its short side is enlarged.
_LONGEST = 64

Filter = Literal["bicubic", "bilinear"]
Rows = npt.NDArray[np.uint8]
# An RGB picture, as Pillow has it or as bytes [H, W, 3].
Picture = Image.Image | Rows


@dataclass(frozen=True)
class Preprocess:
    """Resize to `size` x `size`; then normalise each channel by `mean` and `std` (in 0..1), many pictures at once.

    With `crop` the short side becomes `crop` pixels and the middle is cut out; without it the whole picture is squeezed
    into the square, so that nothing at its edges is lost.
    """

    size: int
    crop: int | None = None
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    filter: Filter = "bicubic"

    def config(self) -> dict[str, Any]:
        """What builds it again. Encoders know one another's features by it, and the first had but one filter."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("filter", "bicubic")}

    def __call__(self, image: Picture) -> torch.Tensor:
        """An RGB picture to bytes [3, size, size]: a quarter of the numbers' memory, on the way to a GPU too."""
        rows = rows_of(image)
        return self._cropped(rows) if self.crop else self._resized(rows, self.size, self.size)

    def normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """Bytes [..., 3, size, size] to float32 numbers there; numbers stay as they are."""
        if pixels.dtype != torch.uint8:
            return pixels
        mean, std = (torch.tensor(values, device=pixels.device)[:, None, None] for values in (self.mean, self.std))
        # In this order float32 rounds as it does in `transformers`, whose vectors are then ours to the last bit.
        return (pixels.float() - 255 * mean).div_(255 * std)

    def _cropped(self, rows: Rows) -> torch.Tensor:
        rows = not_too_long(rows)
        sides = rows.shape[:2]
        # Rounded down, as `transformers` and torchvision do.
        height, width = (max(self.size, (self.crop or self.size) * side // min(sides)) for side in sides)
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return self._resized(rows, width, height)[:, top : top + self.size, left : left + self.size].contiguous()

    def _resized(self, rows: Rows, width: int, height: int) -> torch.Tensor:
        """A picture's bytes [3, height, width]: Pillow's filter, computed thrice as fast by vector instructions."""
        square = torch.from_numpy(rows).permute(2, 0, 1)[None]
        return interpolate(square, size=(height, width), mode=self.filter, antialias=True)[0]


def rows_of(image: Picture) -> Rows:
    """A picture's bytes [H, W, 3]."""
    return np.array(image) if isinstance(image, Image.Image) else image


def not_too_long(rows: Rows) -> Rows:
    """The middle of a picture [H, W, 3] that is over _LONGEST times as long as wide."""
    height, width = rows.shape[:2]
    longest = _LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return rows[top : top + longest, left : left + longest]
