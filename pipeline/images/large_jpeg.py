"""JPEGs of over 100 megapixels, as phones take them: decoded at a half, a quarter or an eighth of their size.

A baseline JPEG is decoded a few rows at a time, so that its memory is that of the small image. A JPEG of several scans,
such as a progressive one, holds two bytes for each coefficient of the whole image until the last scan is read.
"""

import io

from PIL import JpegImagePlugin

START = b"\xff\xd8\xff"
# At an eighth, the most that libjpeg reduces by, 16 megapixels are left. It takes about 10 seconds on one core.
MAX_JPEG_PIXELS = 1_000_000_000
# Half of a decoder's memory: 350 megapixels of a progressive JPEG in full colour, 700 with colour at half the size.
MAX_COEFFICIENTS = 2 << 30
# An 8 x 8 block of one colour takes a bit at least, which is 512 pixels in a byte.
_PIXELS_PER_BYTE = 1024
_START_OF_SCAN = b"\xff\xda"


def open_large(content: bytes) -> JpegImagePlugin.JpegImageFile:
    """The JPEG, its header read, without Pillow's limit of pixels."""
    return JpegImagePlugin.JpegImageFile(io.BytesIO(content))


def refusal(image: JpegImagePlugin.JpegImageFile, content: bytes) -> str | None:
    """Why the JPEG would take too much time or memory at any scale, or None."""
    megapixels = image.width * image.height // 1_000_000
    if image.width * image.height > MAX_JPEG_PIXELS:
        return f"too large: over {MAX_JPEG_PIXELS // 1_000_000:,} megapixels"
    if _scans(image, content) and _coefficients(image) > MAX_COEFFICIENTS:
        return f"too large: a progressive JPEG of {megapixels} megapixels; a baseline JPEG of that size can be decoded"
    if len(content) * _PIXELS_PER_BYTE < image.width * image.height:
        return f"truncated: {len(content):,} bytes cannot hold {megapixels} megapixels"
    return None


def reduction(width: int, height: int, most: int) -> int:
    """By what to divide the sides, of 1, 2, 4 and 8, so that at most `most` pixels are left."""
    return next((by for by in (1, 2, 4) if width * height <= most * by * by), 8)


def _scans(image: JpegImagePlugin.JpegImageFile, content: bytes) -> bool:
    """Whether it has several scans: it is progressive, or its first scan has not all of its components."""
    assert image.fp is not None
    start = content.rfind(_START_OF_SCAN, 0, image.fp.tell())
    return "progressive" in image.info or content[start + 4] < image.layers


def _coefficients(image: JpegImagePlugin.JpegImageFile) -> int:
    """Bytes that the coefficients of the whole image take."""
    samples = [(across, down) for _, across, down, _ in image.layer]
    full = max(across for across, _ in samples) * max(down for _, down in samples)
    return 2 * image.width * image.height * sum(across * down for across, down in samples) // full
