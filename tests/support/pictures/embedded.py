"""Pictures with something written beside their pixels: EXIF, an XMP packet, IPTC records."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from support.making import jpeg, picture, saved

_BASE, _GPS = ExifTags.Base, ExifTags.GPS
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
)
BERLIN = ((52.0, 31.0, 12.03), "N", (13.0, 24.0, 17.83), "E")
BERLIN_PLACE = "52.520008,13.404953"


def exif(
    own: Mapping[int, Any] | None = None,
    details: Mapping[int, Any] | None = None,
    position: tuple[Any, Any, Any, Any] | None = None,
) -> Image.Exif:
    """EXIF of the picture's own tags, those of the exposure, and a position: latitude, N or S, longitude, E or W."""
    made = Image.Exif()
    for tag, value in (own or {}).items():
        made[tag] = value
    made.get_ifd(ExifTags.IFD.Exif).update(details or {})
    made[ExifTags.IFD.Exif] = 0  # without it a TIFF is saved without them
    if position:
        tags = (_GPS.GPSLatitude, _GPS.GPSLatitudeRef, _GPS.GPSLongitude, _GPS.GPSLongitudeRef)
        made.get_ifd(ExifTags.IFD.GPSInfo).update(zip(tags, position, strict=True))
        made[ExifTags.IFD.GPSInfo] = 0
    return made


def camera_exif(stamp: str = "2019:07:04 12:34:56", **more: Any) -> Image.Exif:
    """What a camera writes, in Berlin if nothing else is said."""
    own = {_BASE.Make: "Canon", _BASE.Model: "Canon EOS 5D", _BASE.Orientation: 1}
    details = {_BASE.DateTimeOriginal: stamp, _BASE.LensModel: "EF 50mm f/1.8"}
    return exif(own, details, **({"position": BERLIN} | more))


def xmp(inner: str, attributes: str = "") -> bytes:
    """A packet with these elements and attributes."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" {_SPACES} {attributes}>{inner}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def people_xmp(*, title: str, description: str, keywords: Sequence[str], rating: str = "4") -> bytes:
    """What a program for photographs writes for people."""
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords)
    return xmp(
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>'
        f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>",
        f'xmp:Rating="{rating}"',
    )


def iptc(records: Sequence[tuple[tuple[int, int], bytes]]) -> bytes:
    """Datasets in their binary form."""
    return b"".join(bytes([0x1C, *tag]) + len(value).to_bytes(2, "big") + value for tag, value in records)


def jpeg_with_iptc(content: bytes, records: bytes) -> bytes:
    """A JPEG with a Photoshop segment that holds the datasets."""
    block = b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    segment = b"Photoshop 3.0\0" + block
    return content[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]


def photograph(seed: int = 0, *, stamp: str = "2019:07:04 12:34:56", **people: Any) -> bytes:
    """A JPEG as from a camera in Berlin, with what people wrote of it (see `people_xmp`)."""
    written = {"title": "The lake", "description": "Grandma at the lake", "keywords": ["Grandma", "Berlin"]} | people
    return saved(picture(seed), "JPEG", {"exif": camera_exif(stamp), "xmp": people_xmp(**written)})


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def album(folder: Path) -> Path:
    """0.jpg and 1.jpg with words of people, 2.jpg of the camera alone and in Sydney, 3.jpg of which nothing is said."""
    (folder / "0.jpg").write_bytes(photograph(0))
    (folder / "1.jpg").write_bytes(photograph(1, stamp="2021:12:31 23:30:00", title="Harbour", keywords=["Grandma"]))
    sydney = camera_exif("2021:05:01 10:00:00", position=((33.0, 52.0, 0.0), "S", (151.0, 12.0, 0.0), "E"))
    (folder / "2.jpg").write_bytes(saved(picture(2), "JPEG", {"exif": sydney}))
    (folder / "3.jpg").write_bytes(jpeg(3))
    return folder
