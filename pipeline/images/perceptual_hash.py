"""The perceptual hash of an image (pHash), and a signature of the same DCT coefficients for finer comparison."""

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

_GRID, _WAVES = 32, 8


Coefficients = npt.NDArray[np.float64]


def dct_coefficients(image: Image.Image) -> Coefficients:
    """The 8 x 8 lowest-frequency DCT coefficients of the greyscale image at 32 x 32 pixels, float64 [8, 8]."""
    grey = np.asarray(image.convert("L").resize((_GRID, _GRID), Image.Resampling.BILINEAR), dtype=np.float64)
    # Rounded, so that coefficients that are zero up to rounding errors, as in an image of one colour, are 0.
    found: Coefficients = (_cosines() @ grey @ _cosines().T).round(3)
    return found


def phash(slow: Coefficients) -> int:
    """64 bits, which of the coefficients [8, 8] exceed their median, as a signed integer.

    Resizing, recompression, brightness, greyscale or a crop of 1 to 2 % change a few bits; unrelated photographs differ
    in about 32. Mirrored or rotated images differ as unrelated ones; colour and detail are ignored.

    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1 (pHash).
    """
    return int(np.packbits(slow.ravel() > np.median(slow)).view(">i8")[0])


def dct_signature(slow: Coefficients) -> bytes:
    """The coefficients [8, 8] as 64 signed bytes, a vector of norm 127, independent of brightness and contrast.

    Two signatures are compared by their cosine.
    """
    evened = np.where(np.arange(_WAVES) == 0, 0.5**0.5, 1.0)  # makes the transform orthogonal
    even = slow * evened * evened[:, None]
    even[0, 0] = 0  # the brightness
    return (127 * even / max(float(np.linalg.norm(even)), 1e-9)).round().astype(np.int8).tobytes()


@cache
def _cosines() -> npt.NDArray[np.float64]:
    """The first 8 rows of the DCT-II matrix for 32 pixels, [8, 32]."""
    return np.cos(np.pi / _GRID * np.outer(np.arange(_WAVES), np.arange(_GRID) + 0.5))
