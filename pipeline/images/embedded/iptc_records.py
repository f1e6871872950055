"""IPTC: what people and agencies wrote of a picture before there was XMP; still in many JPEGs and TIFFs.

Source: IPTC-NAA Information Interchange Model, version 4.2, chapters 5 (its character set) and 6 (the datasets).
"""

from collections.abc import Mapping, Sequence

from PIL import Image, IptcImagePlugin

Records = Mapping[tuple[int, int], bytes | list[bytes]]
_CHARACTER_SET, _TITLE, _KEYWORDS, _DESCRIPTION = (1, 90), (2, 5), (2, 25), (2, 120)
_UTF8 = b"\x1b%G"


def records(image: Image.Image) -> Records:
    """The datasets of a picture; none where it has none."""
    return IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]  # it asks what it is itself


def title(found: Records) -> str | None:
    """The name of the object."""
    return next(iter(_texts(found, _TITLE)), None)


def description(found: Records) -> str | None:
    """The caption."""
    return next(iter(_texts(found, _DESCRIPTION)), None)


def keywords(found: Records) -> Sequence[str]:
    """The keywords."""
    return _texts(found, _KEYWORDS)


def _texts(found: Records, dataset: tuple[int, int]) -> Sequence[str]:
    values = found.get(dataset, [])
    declared = found.get(_CHARACTER_SET) == _UTF8
    return [_decoded(value, declared) for value in ([values] if isinstance(values, bytes) else values)]


def _decoded(content: bytes, declared: bool) -> str:
    """As UTF-8 where the records say so or the bytes are, else as Windows' Latin-1, which most programs meant."""
    if declared:
        return content.decode("utf-8", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
