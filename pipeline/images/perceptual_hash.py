"""The perceptual hash of a picture: the signs of its lowest frequencies."""

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

_GRID, _WAVES = 32, 8


Coefficients = npt.NDArray[np.float64]


def dct_coefficients(image: Image.Image) -> Coefficients:
    """The 8 x 8 slowest waves of a picture in grey [8, 8]: its discrete cosine transform, of 32 x 32 pixels."""
    grey = np.asarray(image.convert("L").resize((_GRID, _GRID), Image.Resampling.BILINEAR), dtype=np.float64)
    # Rounded, for what sums to zero only nearly would be noise: a picture of one colour has no waves.
    found: Coefficients = (_cosines() @ grey @ _cosines().T).round(3)
    return found


def phash(slow: Coefficients) -> int:
    """64 bits that say which of these waves are stronger than their median.

    What is resized, compressed again, brighter, grey or cropped by a hundredth or two differs by a few bits; unrelated
    photographs by about 32. A mirrored or turned picture is another one. Colours and details have no part in it.

    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1 (pHash).
    """
    return int(np.packbits(slow.ravel() > np.median(slow)).view(">i8")[0])


def dct_signature(slow: Coefficients) -> bytes:
    """64 signed bytes: the waves' strengths beside one another, whatever the picture's brightness and contrast.

    As a vector its length is 127; two are compared by their cosine.
    """
    evened = np.where(np.arange(_WAVES) == 0, 0.5**0.5, 1.0)  # what makes the transform keep lengths
    even = slow * evened * evened[:, None]
    even[0, 0] = 0  # the brightness
    return (127 * even / max(float(np.linalg.norm(even)), 1e-9)).round().astype(np.int8).tobytes()


@cache
def _cosines() -> npt.NDArray[np.float64]:
    """The 8 slowest waves of the discrete cosine transform over 32 pixels [8, 32]."""
    return np.cos(np.pi / _GRID * np.outer(np.arange(_WAVES), np.arange(_GRID) + 0.5))
