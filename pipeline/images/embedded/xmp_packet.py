"""XMP: what people wrote of a picture, as an XML packet in the file.

Source: ISO 16684-1, Extensible metadata platform (XMP), sections 7 (its RDF) and 8 (the properties).
"""

from collections.abc import Iterator
from typing import Any

from PIL import Image

from lexel.pipeline.images.embedded.exif_tags import iso_date

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# By precedence: the photograph's date, and that of what it is a copy of.
_DATES = ("{http://ns.adobe.com/exif/1.0/}DateTimeOriginal", "{http://ns.adobe.com/photoshop/1.0/}DateCreated")
# A larger one holds histories and pictures, and takes seconds to parse.
_MOST_BYTES = 1 << 20


def packet(image: Image.Image) -> Any:
    """The packet's root element, or None where there is none. Raises whatever the parser does for a broken one."""
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if not found or len(found) > _MOST_BYTES:
        return None
    from defusedxml.ElementTree import fromstring

    return fromstring(found.rstrip(b"\0 ") if isinstance(found, bytes) else found.rstrip("\0 "))


def title(root: Any) -> str | None:
    """The title, in the default language where it has several."""
    return _in_default_language(root, f"{_DC}title")


def description(root: Any) -> str | None:
    """The description, likewise."""
    return _in_default_language(root, f"{_DC}description")


def keywords(root: Any) -> list[str]:
    """The keywords."""
    return [text for text, _ in _values(root, f"{_DC}subject")]


def rating(root: Any) -> int | float | None:
    """The stars, 1 to 5, or -1 for what was rejected; 0, for not rated, is None."""
    value = next((float(text) for text, _ in _values(root, f"{_XMP}Rating")), 0.0)
    if value != -1 and not 0 < value <= 5:
        return None
    return int(value) if value.is_integer() else value


def taken(root: Any) -> str | None:
    """The date and time in ISO 8601."""
    texts = (text.strip() for name in _DATES for text, _ in _values(root, name))
    return next((date for text in texts if (date := iso_date(text))), None)


def _in_default_language(root: Any, name: str) -> str | None:
    found = list(_values(root, name))
    return next((text for text, language in found if language == "x-default"), found[0][0] if found else None)


def _values(root: Any, name: str) -> Iterator[tuple[str, str | None]]:
    """The texts of a property with their languages: an attribute, an element's text, or the items of a list in it."""
    for about in (each for rdf in root.iter(f"{_RDF}RDF") for each in rdf.iterfind(f"{_RDF}Description")):
        if name in about.attrib:
            yield about.attrib[name], None
        for element in about.iterfind(name):
            items = list(element.iter(f"{_RDF}li")) or [element]
            yield from ((item.text, item.get(_LANGUAGE)) for item in items if item.text)
