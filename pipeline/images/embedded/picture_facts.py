"""The facts of a picture under fixed names, from EXIF, XMP and IPTC."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from PIL import Image

from lexel.pipeline.images.embedded import exif_tags, iptc_records, xmp_packet
from lexel.pipeline.images.embedded.tag_text import tidy, tidy_all

T = TypeVar("T")
F = TypeVar("F")
Fact = str | int | float | Sequence[str]
Facts = Mapping[str, Fact]
# Characters of a text, of which people write fewer; more keywords than this are no words of a person's.
_TITLE, _DESCRIPTION, _KEYWORD, _KEYWORDS = 500, 5000, 200, 500


def picture_facts(image: Image.Image) -> Facts:
    """What the file of an opened image says, without what it does not say or what makes no sense.

    `taken` (ISO 8601), `place` ("latitude,longitude" in degrees), `camera`, `lens`, `orientation` (1 to 8), `title`,
    `description`, `keywords` (a list), `rating` (1 to 5, or -1). What people wrote is taken from XMP, or else IPTC.
    Nothing in a file makes it raise: what is broken is left out.
    """
    own = _tried(lambda: exif_tags.own_tags(image))
    details = _tried(lambda: exif_tags.details(image))
    position = _tried(lambda: exif_tags.position(image))
    xmp = _tried(lambda: xmp_packet.packet(image))
    iptc = _tried(lambda: iptc_records.records(image))
    found = {
        "taken": _of(details, exif_tags.taken) or _of(xmp, xmp_packet.taken),
        "place": _of(position, exif_tags.place),
        "camera": _of(own, exif_tags.camera),
        "lens": _of(details, exif_tags.lens),
        "orientation": _of(own, exif_tags.orientation),
        "title": _first(_TITLE, _of(xmp, xmp_packet.title), _of(iptc, iptc_records.title)),
        "description": _first(_DESCRIPTION, _of(xmp, xmp_packet.description), _of(iptc, iptc_records.description)),
        "keywords": _keywords(_of(xmp, xmp_packet.keywords)) or _keywords(_of(iptc, iptc_records.keywords)),
        "rating": _of(xmp, xmp_packet.rating),
    }
    return {name: value for name, value in found.items() if value}


def _first(most: int, *texts: str | None) -> str | None:
    return next((tidied for text in texts if (tidied := tidy(text, most=most))), None)


def _keywords(texts: Sequence[str] | None) -> list[str]:
    return tidy_all(texts or (), most=_KEYWORD, count=_KEYWORDS)


def _of(part: T | None, fact: Callable[[T], F]) -> F | None:
    return None if part is None else _tried(lambda: fact(part))


def _tried(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:  # broken tags raise nearly anything, and the picture is as good without them
        return None
