"""Greyscale of more than 8 bits per pixel to 8, by the range of values that a picture is written in.

A file of 16 bits rarely says how many of them are used, so the range is chosen by the largest value:

- Whole numbers: the first of 8, 10, 12 and 16 bits that holds it. A 12-bit camera's picture would otherwise be black.
  The step of 14 bits is taken only from 90 % of it on: below, it may as well be a dark picture of 16 bits, which stays
  dark. Larger numbers: 24 or 32 bits from 90 % of them on, otherwise the largest value.
- Fractions: 0 to 1; 0 to 255 for what looks like 8 bits; otherwise from the least to the greatest value, which also
  holds for values of 0 to 1 that are mostly an offset.
- With negative values, other than a few per cent of noise: from the least to the greatest, or all 16 bits.

What a TIFF says of its range goes before this. Values that are no numbers are black.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

_BITS, _MIN, _MAX, _FORMAT, _SMIN, _SMAX, _COLOURS, _NO_DATA = 258, 280, 281, 339, 340, 341, 262, 42113
_SIGNED16 = (-32768.0, 32767.0)
_FULL = 0.9  # of a range, from where on it is taken to be the one that is meant
_NOISE = 0.05
_BLOCK = 1 << 20  # pixels at a time, to bound memory
_Floats = npt.NDArray[np.float64]


class Declared(NamedTuple):
    """What a file says of its grey values; None and False where it says nothing."""

    low: float | None = None
    high: float | None = None
    no_data: float | None = None
    unsigned: bool = False
    white_is_zero: bool = False


class _Used(NamedTuple):
    low: float
    high: float
    whole: bool

    @property
    def spread(self) -> float:
        return self.high - self.low


def is_deep(image: Image.Image) -> bool:
    """Whether its pixels are numbers of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def declared(image: Image.Image) -> Declared:
    """What the file of an opened image says of its values."""
    if image.format == "PPM":
        return Declared(high=65535)  # Pillow scales to that
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None:
        return Declared()
    bits = _number(tags, _BITS)
    high = next((v for tag in (_SMAX, _MAX) if (v := _number(tags, tag)) is not None), None)
    low = next((v for tag in (_SMIN, _MIN) if (v := _number(tags, tag)) is not None), None)
    if bits is not None and 8 < bits < 16:
        high = 2**bits - 1
    unsigned = bits == 32 and _number(tags, _FORMAT) in {None, 1.0}
    return Declared(low, high, _number(tags, _NO_DATA), unsigned, _number(tags, _COLOURS) == 0)


def _number(tags: Any, tag: int) -> float | None:
    try:
        value = tags.get(tag)
        return None if value is None else float(value[0] if isinstance(value, tuple) else str(value).strip("\0 "))
    except Exception:  # a broken tag says nothing
        return None


def eight_bits(image: Image.Image, said: Declared, tone: Callable[[_Floats], _Floats] | None = None) -> Image.Image:
    """The image in mode L; `tone` maps values of 0 to 255 to others before they are rounded."""
    pixels = np.asarray(image)
    if said.unsigned and pixels.dtype == np.int32:
        pixels = pixels.view(np.uint32)
    low, high = _range(_used(pixels, said.no_data), said, whole=image.mode != "F")
    found = np.empty(pixels.shape, np.uint8)
    for rows in _blocks(pixels):
        values = _numbers(pixels[rows], said.no_data)
        grey = (np.nan_to_num(values, nan=low).clip(low, high) - low) * (255 / (high - low))
        grey = 255 - grey if said.white_is_zero else grey
        found[rows] = (tone(grey) if tone else grey).round()
    return Image.fromarray(found)


def _blocks(pixels: npt.NDArray[Any]) -> Iterator[slice]:
    height, width = pixels.shape
    step = max(1, _BLOCK // width)
    return (slice(start, start + step) for start in range(0, height, step))


def _numbers(pixels: npt.NDArray[Any], no_data: float | None) -> _Floats:
    """The values, with NaN for those that are none; float32's largest is how many programs write that."""
    values = pixels.astype(np.float64)
    values[~(np.abs(values) < 3.4e38)] = np.nan
    if no_data is not None:
        values[values == no_data] = np.nan
    return values


def _used(pixels: npt.NDArray[Any], no_data: float | None) -> _Used:
    low, high, whole = np.inf, -np.inf, True
    for rows in _blocks(pixels):
        values = _numbers(pixels[rows], no_data)
        values = values[~np.isnan(values)]
        low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
        whole = whole and bool((values == np.rint(values)).all())
    return _Used(float(low), float(high), whole) if low <= high else _Used(0, 0, True)


def _range(used: _Used, said: Declared, *, whole: bool) -> tuple[float, float]:
    if not whole and (stated := _stated(used, said)):
        return stated
    if -used.low > _NOISE * max(used.high, 0):
        wide = whole and _FULL * _SIGNED16[0] >= used.low >= _SIGNED16[0] and used.high <= _SIGNED16[1]
        return _SIGNED16 if wide else (used.low, max(used.high, 0) if not used.spread else used.high)
    if whole or (used.high > 1 and not used.spread):
        top = said.high if said.high is not None and said.high >= used.high else None
        return 0, _whole(used.high if top is None else top, stated=top is not None)
    return _fractions(used)


def _stated(used: _Used, said: Declared) -> tuple[float, float] | None:
    """The file's own range, if its values are in it."""
    if said.low is None or said.high is None or not said.low < said.high:
        return None
    return (said.low, said.high) if said.low <= used.low and used.high <= said.high else None


def _whole(top: float, *, stated: bool) -> float:
    for bits in (8, 10, 12, 14, 16, 24, 32):
        full = 2.0**bits - 1
        if top <= full and (stated or bits in {8, 10, 12, 16} or top >= _FULL * full):
            return full
    return top


def _fractions(used: _Used) -> tuple[float, float]:
    if used.high <= 1:
        offset = used.high / 256 <= used.spread < used.high / 8
        return (used.low, used.high) if offset else (0, 1)
    if used.high <= 255 and (used.whole or (used.high > 127 and used.low < 64)):
        return 0, 255
    return (0, 65535) if _FULL * 65535 <= used.high <= 65535 else (used.low, used.high)
