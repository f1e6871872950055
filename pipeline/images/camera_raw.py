"""Raw files of cameras, by the preview that the camera has put into them; read by rawpy, which is the extra `raw`.

They are known by their content: several are TIFFs whose first image is a thumbnail, or nothing that a person would see.
"""

import io
import struct
from typing import Any, NamedTuple

from PIL import ExifTags, Image

# Fujifilm; Olympus in three ways; Panasonic.
_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_SUB_IMAGES, _COLOURS, _DNG_VERSION = 330, 262, 50706
_MOSAIC = {32803, 34892}  # pixels as a sensor has them, and those of a DNG before its colours are made
_MOST_TAGS, _MOST_IMAGES = 512, 16
# Turns by LibRaw's numbers.
_TURNS = {3: Image.Transpose.ROTATE_180, 5: Image.Transpose.ROTATE_90, 6: Image.Transpose.ROTATE_270}


class RawPreview(NamedTuple):
    """An image file, the turn that makes it upright beside what its EXIF says, and the raw image's size, upright."""

    content: bytes
    turn: Image.Transpose | None
    size: tuple[int, int]


def is_camera_raw(content: bytes) -> bool:
    """Whether it is a raw file of Canon, Nikon, Sony, Fujifilm, Olympus or Panasonic, or a DNG."""
    if content.startswith(_STARTS) or content[4:12] == b"ftypcrx ":
        return True
    if not content.startswith((b"II*\0", b"MM\0*")):
        return False
    try:
        return content[8:10] == b"CR" or _has_mosaic(content)
    except (struct.error, IndexError):  # a broken TIFF, of which Pillow will say so
        return False


def raw_preview(content: bytes) -> RawPreview:
    """The largest preview, or the image at half its size if there is none.

    Raises ImportError without rawpy, and whatever rawpy does for a broken file.
    """
    import rawpy

    with rawpy.imread(io.BytesIO(content)) as raw:
        sizes = raw.sizes
        size = (sizes.width, sizes.height) if sizes.flip not in {5, 6} else (sizes.height, sizes.width)
        try:
            thumb = raw.extract_thumb()
        except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
            return RawPreview(_written(raw.postprocess(half_size=True, use_camera_wb=True)), None, size)
    turn = _TURNS.get(sizes.flip)
    if thumb.format != rawpy.ThumbFormat.JPEG:
        return RawPreview(_written(thumb.data), turn, size)
    return RawPreview(bytes(thumb.data), None if _says_turn(thumb.data) else turn, size)


def _written(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PPM")
    return file.getvalue()


def _says_turn(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            return ExifTags.Base.Orientation in image.getexif()
    except Exception:  # `decode` will say what is wrong with it
        return False


def _has_mosaic(content: bytes) -> bool:
    order = "<" if content.startswith(b"II") else ">"
    first = _tags(content, struct.unpack_from(order + "I", content, 4)[0], order)
    images = [first, *(_tags(content, place, order) for place in first.get(_SUB_IMAGES, [])[:_MOST_IMAGES])]
    return _DNG_VERSION in first or any(_MOSAIC.intersection(image.get(_COLOURS, [])) for image in images)


def _tags(content: bytes, place: int, order: str) -> dict[int, list[int]]:
    """The tags of a TIFF's image at `place`, those of whole numbers with their values."""
    found: dict[int, list[int]] = {}
    for i in range(min(struct.unpack_from(order + "H", content, place)[0], _MOST_TAGS)):
        entry = place + 2 + 12 * i
        tag, kind, count = struct.unpack_from(order + "HHI", content, entry)
        found[tag] = _values(content, entry + 8, order, kind, count) if tag in {_SUB_IMAGES, _COLOURS} else []
    return found


def _values(content: bytes, place: int, order: str, kind: int, count: int) -> list[int]:
    form = {3: "H", 4: "I", 13: "I"}.get(kind)
    if form is None or count > _MOST_IMAGES:
        return []
    if struct.calcsize(f"{order}{count}{form}") > 4:
        place = struct.unpack_from(order + "I", content, place)[0]
    return list(struct.unpack_from(f"{order}{count}{form}", content, place))
