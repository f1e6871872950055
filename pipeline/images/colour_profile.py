"""Converts the colours of an image to sRGB, from the ICC profile that is embedded in it."""

import io
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

# Colours that sRGB has stay as they are (relative colorimetric), and a printer's black becomes black.
_INTENT, _FLAGS = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
# The mode in which lcms reads pixels of a profile's colour space, and the modes of images that such a profile may be
# in. Greyscale in an RGB profile is common; all other mismatches are mistakes of whoever wrote the file.
_SPACES = {
    "RGB": ("RGB", {"RGB", "RGBA", "RGBX", "P", "PA", "L", "LA"}),
    "GRAY": ("L", {"L", "LA"}),
    "CMYK": ("CMYK", {"CMYK"}),
}
# sRGB profiles differ from each other by rounding, in up to 3 of 255.
_ROUNDING = 3
_MOST_BYTES = 16 << 20


class _Conversion(NamedTuple):
    mode: str
    fits: set[str]
    transform: ImageCms.ImageCmsTransform


def in_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, as RGB or RGBA.

    Returned unchanged if it has no profile, if that is sRGB already, or if it is broken or of another colour space than
    the image.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _MOST_BYTES:
        return image
    conversion = _conversion(profile)
    if conversion is None or image.mode not in conversion.fits:
        return image
    try:
        return _converted(image, conversion)
    except Exception:  # lcms found a fault only now
        return image


def _converted(image: Image.Image, conversion: _Conversion) -> Image.Image:
    if not image.has_transparency_data:
        return _applied(image, conversion)
    with_alpha = image.convert("RGBA")
    found = _applied(with_alpha.convert("RGB"), conversion)
    found.putalpha(with_alpha.getchannel("A"))
    return found


def _applied(image: Image.Image, conversion: _Conversion) -> Image.Image:
    pixels = image.convert(conversion.mode)
    if conversion.mode != "L":
        return _transformed(pixels, conversion)
    tones = np.asarray(_transformed(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), conversion))[0]
    return Image.merge("RGB", [pixels.point(tones[:, band].tolist()) for band in range(3)])


def _transformed(pixels: Image.Image, conversion: _Conversion) -> Image.Image:
    found = conversion.transform.apply(pixels)
    assert found is not None
    return found


# A camera's or a company's pictures share one profile; building a printer's takes 50 ms.
@lru_cache(maxsize=8)
def _conversion(profile: bytes) -> _Conversion | None:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode, fits = _SPACES[opened.profile.xcolor_space.strip()]
        # lcms would interpolate the tones of greyscale between 33 of them, which is coarse for linear light.
        flags = _FLAGS | ImageCms.Flags.NOOPTIMIZE if mode == "L" else _FLAGS
        transform = ImageCms.buildTransform(opened, _srgb(), mode, "RGB", _INTENT, flags)
        found = _Conversion(mode, fits, transform)
        return None if _changes_nothing(found) else found
    except Exception:  # broken, or of a colour space that no image here is in
        return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _changes_nothing(conversion: _Conversion) -> bool:
    """Whether it is sRGB, whatever its name, judged by a grid of colours."""
    if conversion.mode == "CMYK":
        return False
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(18, -1, 3)
    probe = Image.fromarray(grid).convert(conversion.mode)
    there, here = (np.asarray(one.convert("RGB"), np.int16) for one in (_applied(probe, conversion), probe))
    return bool(np.abs(there - here).max() <= _ROUNDING)
