"""Bytes to an RGB picture, or to a reason why not. Whatever the bytes are, the job goes on."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

# A picture of 100 megapixels decodes to 300 MB. Larger ones are refused by their header, before any memory is taken.
MAX_PIXELS = 100_000_000

# Pillow has a limit of its own, half of which only warns; ours is checked instead, on every picture.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class BadImageError(Exception):
    """These bytes are not a picture that can be shown; the text says why."""


def decode(content: bytes) -> Image.Image:
    """An upright 8-bit RGB picture: turned by its EXIF, its first frame, transparency over white.

    Raises BadImageError for what is empty, not a picture, truncated, broken or larger than MAX_PIXELS.
    """
    if not content:
        raise BadImageError("empty: the file has zero bytes")
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadImageError(
                    f"too large: {image.width} x {image.height} is over {MAX_PIXELS // 1_000_000} megapixels"
                )
            image.load()
            return _rgb(_upright(image))
    except BadImageError:
        raise
    except Image.UnidentifiedImageError as error:
        raise BadImageError(_unknown(content)) from error
    except Image.DecompressionBombError as error:
        raise BadImageError(f"too large: over {MAX_PIXELS // 1_000_000} megapixels") from error
    except (
        Exception
    ) as error:  # broken files make the decoders raise nearly anything: SyntaxError, struct.error, IndexError, ...
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        kind = "truncated" if "truncated" in reason or "EOF" in reason or isinstance(error, EOFError) else "broken"
        raise BadImageError(f"{kind}: {reason}") from error


def _unknown(content: bytes) -> str:
    if content[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"}:
        return "not readable: a HEIC picture; convert it to JPEG first"
    if content[:5].lstrip().lower().startswith((b"<html", b"<!doc", b"<?xml", b"<svg")):
        return "not an image: it is a web page, XML or SVG"
    return "not an image: no decoder knows these bytes"


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block says nothing about the picture, which is whole
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image.copy()
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, whole or floating: scaled by the range its kind has; Pillow would clip it to white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    top = float(values.max(initial=0))
    full = 65535 if image.mode.startswith("I;16") else _full(image.mode, top)
    grey = (values.clip(0, full) * (255 / full)).round().astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _full(mode: str, top: float) -> float:
    if mode == "F" and top <= 1:
        return 1
    return next((n for n in (255, 65535) if top <= n), top)
