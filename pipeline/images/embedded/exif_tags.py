"""EXIF: when, where and with what a picture was taken.

Source: CIPA DC-008, Exchangeable image file format for digital still cameras (Exif), version 2.32, section 4.6.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from lexel.pipeline.images.embedded.tag_text import tidy

Tags = Mapping[int, Any]
# Before the first photograph a date is a mistake.
FIRST_YEAR = 1826
_MOST = 200
_BASE, _GPS = ExifTags.Base, ExifTags.GPS
_STAMP = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)(?:[ T](\d\d):(\d\d):(\d\d))?", re.ASCII)
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d|Z", re.ASCII)
# A date with the tag of its offset from UTC: of the photograph, and of a film or print that was scanned.
_DATES = ((_BASE.DateTimeOriginal, _BASE.OffsetTimeOriginal), (_BASE.DateTimeDigitized, _BASE.OffsetTimeDigitized))


def own_tags(image: Image.Image) -> Tags:
    """The tags of the picture itself, such as the camera's make."""
    return image.getexif()


def details(image: Image.Image) -> Tags:
    """The tags about the exposure, such as its date and the lens."""
    return image.getexif().get_ifd(ExifTags.IFD.Exif)


def position(image: Image.Image) -> Tags:
    """The tags of the GPS receiver."""
    return image.getexif().get_ifd(ExifTags.IFD.GPSInfo)


def taken(tags: Tags) -> str | None:
    """The date and time in ISO 8601, with the offset from UTC where it is known; None where it is none."""
    for date, offset in _DATES:
        if found := _date(str(tags.get(date, "")), str(tags.get(offset, ""))):
            return found
    return None


def _date(stamp: str, offset: str) -> str | None:
    parts = _STAMP.fullmatch(stamp.strip(" \0"))
    zone = offset.strip(" \0")
    return iso_date("{}-{}-{}".format(*parts.groups()) + _time(parts, zone)) if parts else None


def _time(parts: re.Match[str], zone: str) -> str:
    if parts[4] is None:
        return ""
    return f"T{parts[4]}:{parts[5]}:{parts[6]}" + (zone if _OFFSET.fullmatch(zone) else "")


def iso_date(text: str) -> str | None:
    """The text, if it is a whole date in ISO 8601, with or without a time, on which a picture can have been taken."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year < FIRST_YEAR:
        return None
    return found.isoformat() if "T" in text else found.date().isoformat()


def place(tags: Tags) -> str | None:
    """Latitude and longitude in degrees, as "52.520008,13.404954"; None where there is none.

    Zero for both, in the sea off Ghana, is what receivers write that know nothing.
    """
    north = _degrees(tags, _GPS.GPSLatitude, _GPS.GPSLatitudeRef, "NS", 90)
    east = _degrees(tags, _GPS.GPSLongitude, _GPS.GPSLongitudeRef, "EW", 180)
    if north is None or east is None or (north == 0 and east == 0):
        return None
    return f"{north:.6f},{east:.6f}"


def _degrees(tags: Tags, value: int, side: int, sides: str, most: int) -> float | None:
    """Degrees, minutes and seconds as degrees, negative on the second of two sides."""
    sign = (tidy(tags.get(side), most=1) or " ").upper()
    parts = [float(part) for part in tags.get(value) or ()]
    degrees: float = sum(part / 60**i for i, part in enumerate(parts))  # NaN where a denominator is zero
    if sign not in sides or len(parts) != 3 or not math.isfinite(degrees) or not 0 <= degrees <= most:
        return None
    return float(round(-degrees if sign == sides[1] else degrees, 6)) + 0.0  # -0.0 becomes 0.0


def camera(tags: Tags) -> str | None:
    """Make and model; the make once, where the model begins with it."""
    make, model = _name(tags.get(_BASE.Make)), _name(tags.get(_BASE.Model))
    if not make or not model:
        return model or make
    return model if model.lower().startswith(make.split()[0].lower()) else f"{make} {model}"


def lens(tags: Tags) -> str | None:
    """The name of the lens."""
    return _name(tags.get(_BASE.LensModel))


def _name(value: object) -> str | None:
    """A name; lines and dots, which stand for none, are none."""
    text = tidy(value, most=_MOST)
    return text if text and any(map(str.isalnum, text)) else None


def orientation(tags: Tags) -> int | None:
    """How the pixels lie in the file, 1 (upright) to 8, from which the decoder turns them upright."""
    value = tags.get(_BASE.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else None
