"""Decodes bytes to an RGB image; whatever is wrong with them becomes a BadImageError."""

import codecs
import io
import logging
import warnings
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from lexel.pipeline.errors import LexelError
from lexel.pipeline.images import camera_raw, deep_grey, heic, large_jpeg
from lexel.pipeline.images.colour_profile import in_srgb
from lexel.pipeline.images.embedded.picture_facts import Facts, picture_facts

# 100 megapixels decode to 300 MB. Larger images are refused by their header, before memory is allocated; larger JPEGs
# are decoded at a smaller scale.
MAX_PIXELS = 100_000_000

# Pillow warns at this limit and raises at twice that, also for images within an icon file.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
# Pillow's warnings about a file's tags would clutter a job's output.
warnings.filterwarnings("ignore", module=r"PIL\b")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\x00", b"MM\x00*")
# Formats that are decoded at a smaller scale from the same data. A HEIC file would give an embedded thumbnail.
_SCALED = {"JPEG", "MPO"}
# A TIFF's tags cannot be read when its pixels have been; those of other formats may stand behind the pixels.
_SAID_FIRST = {"TIFF"}
_RAMP = np.arange(256, dtype=np.uint8)
NO_FACTS: Facts = MappingProxyType({})


class BadImageError(LexelError):
    """The bytes cannot be decoded as an image; the message says why."""


class Decoded(NamedTuple):
    """An image, possibly downscaled, its original size (width, height) after EXIF rotation, and what its file says."""

    image: Image.Image
    size: tuple[int, int]
    facts: Facts = NO_FACTS


def decode(content: bytes, *, least: int | None = None, facts: bool = False) -> Decoded:
    """Decode to 8-bit sRGB: rotated by EXIF, the first frame only, transparency on white.

    With `least` a large image is halved, repeatedly, as long as its shorter side keeps that many pixels. A JPEG is then
    decoded from fewer DCT coefficients, a photograph of 12 megapixels in a quarter of the time.

    A JPEG of more than MAX_PIXELS is downscaled also without `least`, as little as it takes to have no more than that.

    With `facts` the result has what camera and people wrote into the file (see `picture_facts`).

    Raises BadImageError if it is empty, not an image, truncated, broken, or larger than MAX_PIXELS, or than the limits
    of `large_jpeg`.
    """
    if not content:
        raise BadImageError("empty: the file has zero bytes")
    if camera_raw.is_camera_raw(content):
        return _decode_raw(content, least, facts)
    try:
        with _opened(content) as image:
            own = image.size
            side = _drafted_side(own, least)
            if side and image.format in _SCALED:
                image.draft(None, (side, side))
            drafted = image.size != own
            said = picture_facts(image) if facts and image.format in _SAID_FIRST else NO_FACTS
            image.load()
            said = picture_facts(image) if facts and image.format not in _SAID_FIRST else said
            upright = _upright(image)
            size = upright.size if not drafted else own[::-1] if _lies(image) else own
            deep = deep_grey.is_deep(upright)
            found = _grey(upright, deep_grey.declared(image)) if deep else _rgb(upright, least)
            return Decoded(_halved(found, least) if least else found, size, said)
    except BadImageError:
        raise
    except UnidentifiedImageError as error:
        raise BadImageError(_unknown(content)) from error
    except Image.DecompressionBombError as error:
        raise BadImageError(f"too large: over {MAX_PIXELS // 1_000_000} megapixels") from error
    except MemoryError as error:
        raise BadImageError("too large: there is not enough memory to decode it") from error
    except Exception as error:
        # Decoders raise nearly anything for broken files: SyntaxError, struct.error, IndexError, ...
        raise BadImageError(_broken(content, error)) from error


def _decode_raw(content: bytes, least: int | None, facts: bool) -> Decoded:
    """The preview in a camera's raw file and what that says, with the size of the raw image."""
    try:
        preview = camera_raw.raw_preview(content)
    except ImportError as error:
        reason = "not readable: a camera's raw file; install lexel with its extra, lexel[raw], to see its preview"
        raise BadImageError(reason) from error
    except Exception as error:
        said = error.args[0] if error.args else type(error).__name__
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise BadImageError(f"broken: a camera's raw file: {reason}") from error
    image, _, said = decode(preview.content, least=least, facts=facts)
    return Decoded(image if preview.turn is None else image.transpose(preview.turn), preview.size, said)


def _opened(content: bytes) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(content), formats=_formats(content))
    except Image.DecompressionBombError:
        if not content.startswith(large_jpeg.START):
            raise
    image = large_jpeg.open_large(content)
    if reason := large_jpeg.refusal(image, content):
        raise BadImageError(reason)
    return image


def _drafted_side(size: tuple[int, int], least: int | None) -> int | None:
    """How many pixels of the shorter side a JPEG's decoder shall keep; None for all."""
    by = large_jpeg.reduction(*size, MAX_PIXELS)
    most = None if by == 1 else min(size) // by
    return min(least or most, most) if most else least


def _formats(content: bytes) -> tuple[str, ...]:
    if not heic.is_heic(content):
        return _own_formats()
    heic.register()
    return (heic.FORMAT,)


@cache
def _own_formats() -> tuple[str, ...]:
    """All formats of Pillow except EPS, which is a PostScript program that Ghostscript would run."""
    Image.init()
    return tuple(name for name in Image.ID if name not in {"EPS", heic.FORMAT})


def _unknown(content: bytes) -> str:
    if heic.is_heic(content):
        return "broken: a HEIC picture whose header cannot be read"
    if content[:200].removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith((b"<html", b"<!doc", b"<?xml", b"<svg")):
        return "not an image: it is a web page, XML or SVG"
    if content.startswith(_MAGIC) or content[8:12] == b"WEBP":
        return "broken: it begins as a picture does, and its header cannot be read"
    return "not an image: no decoder knows these bytes"


def _broken(content: bytes, error: Exception) -> str:
    reason = str(error).partition("\n")[0] or type(error).__name__
    cut = "truncated" in reason.lower() or "EOF" in reason or isinstance(error, EOFError)
    return f"{'truncated' if cut else 'broken'}: {reason}"


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block does not make the image unusable
        return image.copy()


def _lies(image: Image.Image) -> bool:
    """Whether EXIF rotates the image by 90 or 270 degrees."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation) in {5, 6, 7, 8}
    except Exception:
        return False


def _halved(image: Image.Image, least: int) -> Image.Image:
    times = min(image.size) // least
    return image.reduce(1 << times.bit_length() - 1) if times > 1 else image


def _rgb(image: Image.Image, least: int | None) -> Image.Image:
    if least and image.mode in {"RGB", "L"} and not image.has_transparency_data:
        image = _halved(image, least)  # early, since a profile is then applied to fewer pixels
    image = in_srgb(image)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey(image: Image.Image, said: deep_grey.Declared) -> Image.Image:
    """Greyscale of more than 8 bits as RGB, its tones by the colour profile; Pillow would clip it to white."""
    ramp = Image.fromarray(_RAMP[None])
    ramp.info = image.info
    toned = in_srgb(ramp)
    if toned is ramp:
        return deep_grey.eight_bits(image, said).convert("RGB")
    curve = np.asarray(toned.convert("L"), np.float64)[0]
    return deep_grey.eight_bits(image, said, lambda grey: np.interp(grey, _RAMP, curve)).convert("RGB")
