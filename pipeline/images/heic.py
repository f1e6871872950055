"""HEIC, in which iPhones and many other phones write: read by pillow-heif, which is loaded for the first such file."""

from functools import cache

FORMAT = "HEIF"  # what pillow-heif calls it
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(content: bytes) -> bool:
    """Whether it is a HEIF container of anything but AVIF, which Pillow reads itself."""
    kinds = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    return content[4:8] == b"ftyp" and content[8:12] in _BRANDS and b"avif" not in kinds and b"avis" not in kinds


@cache
def register() -> None:
    """Teach Pillow the format. The turn that the file asks for is made by the decoder, and taken out of its EXIF."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1  # each decoder has a core of its own
    pillow_heif.register_heif_opener()
