"""How a picture looks: a thumbnail for people, and what its near-duplicates nearly share."""

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

# The longest side of a thumbnail: two make a phone's width, and it takes about 10 kB.
SIDE = 256
_QUALITY = 75
_GRID, _WAVES = 32, 8

Waves = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """A thumbnail as JPEG, where one was asked for; a perceptual hash, 64 bits as a signed number; and its waves, 64
    signed bytes (see `waves`), which tell apart what the hash cannot.
    """

    thumbnail: bytes | None
    phash: int
    waves: bytes


def look(image: Image.Image, *, side: int = SIDE) -> Look:
    """How an RGB picture looks; its thumbnail's longest side has at most `side` pixels, and 0 makes none.

    All is made of the shrunk picture: together about a millisecond for one of 640 x 480.
    """
    small = shrunk(image, side=side or SIDE)
    slow = waves(small)
    return Look(_jpeg(small) if side else None, phash(slow), shape(slow))


def shrunk(image: Image.Image, *, side: int) -> Image.Image:
    """The picture so small that its longest side has at most `side` pixels; a smaller one stays as it is."""
    longest = max(image.size)
    if longest <= side:
        return image
    size = (max(1, round(image.width * side / longest)), max(1, round(image.height * side / longest)))
    # Large pictures are first halved, or more, by whole numbers, which costs little and cannot be seen at this size.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.2)


def waves(image: Image.Image) -> Waves:
    """The 8 x 8 slowest waves of a picture in grey [8, 8]: its discrete cosine transform, of 32 x 32 pixels."""
    grey = np.asarray(image.convert("L").resize((_GRID, _GRID), Image.Resampling.BILINEAR), dtype=np.float64)
    # Rounded, for what sums to zero only nearly would be noise: a picture of one colour has no waves.
    found: Waves = (_cosines() @ grey @ _cosines().T).round(3)
    return found


def phash(slow: Waves) -> int:
    """64 bits that say which of these waves are stronger than their median.

    What is resized, compressed again, brighter, grey or cropped by a hundredth or two differs by a few bits; unrelated
    photographs by about 32. A mirrored or turned picture is another one. Colours and details have no part in it.

    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1 (pHash).
    """
    return int(np.packbits(slow.ravel() > np.median(slow)).view(">i8")[0])


def shape(slow: Waves) -> bytes:
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


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    # The comment would come along from the original, whoever wrote what in it.
    image.save(file, "JPEG", quality=_QUALITY, optimize=True, comment=b"")
    return file.getvalue()
