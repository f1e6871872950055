"""XMP packets: of one language or several, as elements or attributes, and broken ones."""

import pytest
from PIL import Image
from support.making import picture, saved
from support.pictures.embedded import opened, people_xmp, xmp

from lexel.pipeline.images.embedded import xmp_packet

LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'


def parsed(content: bytes) -> object:
    image = Image.new("RGB", (1, 1))
    image.info["xmp"] = content
    return xmp_packet.packet(image)


def test_what_people_wrote_is_read() -> None:
    root = parsed(people_xmp(title="Café", description="Oma\nam See", keywords=["Oma", "See"]))
    assert xmp_packet.title(root) == "Café"
    assert xmp_packet.description(root) == "Oma\nam See"
    assert xmp_packet.keywords(root) == ["Oma", "See"]
    assert xmp_packet.rating(root) == 4


def test_of_several_languages_the_default_is_taken_or_else_the_first() -> None:
    items = '<rdf:li xml:lang="de">See</rdf:li><rdf:li xml:lang="x-default">Lake</rdf:li>'
    assert xmp_packet.title(parsed(xmp(f"<dc:title><rdf:Alt>{items}</rdf:Alt></dc:title>"))) == "Lake"
    items = '<rdf:li xml:lang="de">See</rdf:li><rdf:li xml:lang="fr">Lac</rdf:li>'
    assert xmp_packet.title(parsed(xmp(f"<dc:title><rdf:Alt>{items}</rdf:Alt></dc:title>"))) == "See"


def test_a_property_may_be_plain_text_or_an_attribute_or_absent() -> None:
    root = parsed(xmp("<dc:title>Plain</dc:title>", 'dc:description="Short"'))
    assert (xmp_packet.title(root), xmp_packet.description(root)) == ("Plain", "Short")
    assert (xmp_packet.keywords(root), xmp_packet.rating(root), xmp_packet.taken(root)) == ([], None, None)
    assert xmp_packet.rating(parsed(xmp("<xmp:Rating>3</xmp:Rating>"))) == 3


@pytest.mark.parametrize(
    ("said", "wanted"), [("5", 5), ("4.5", 4.5), ("-1", -1), ("0", None), ("6", None), ("-2", None), ("nan", None)]
)
def test_a_rating_is_of_one_to_five_or_rejected(said: str, wanted: float | None) -> None:
    assert xmp_packet.rating(parsed(xmp("", f'xmp:Rating="{said}"'))) == wanted


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("2019-07-04T12:34:56+02:00", "2019-07-04T12:34:56+02:00"),
        ("2019-07-04", "2019-07-04"),
        ("2019-07", None),
        ("", None),
    ],
)
def test_a_date_is_a_whole_one(said: str, wanted: str | None) -> None:
    assert xmp_packet.taken(parsed(xmp(f"<photoshop:DateCreated>{said}</photoshop:DateCreated>"))) == wanted


@pytest.mark.parametrize("content", [b"<x>", b"\xff\xfe", LAUGHS, b"\0\0", b"<a/>" * 2])
def test_a_broken_packet_raises_and_a_bomb_is_not_expanded(content: bytes) -> None:
    with pytest.raises(Exception, match=r"."):
        parsed(content)


def test_no_packet_and_one_too_large_are_none() -> None:
    assert parsed(b"") is None
    assert parsed(xmp("x" * (1 << 20))) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_kind_of_file_carries_it(kind: str) -> None:
    content = people_xmp(title="Lake", description="", keywords=["a"])
    options = {"xmp": content} if kind != "PNG" else {"pnginfo": png_text(content)}
    options = {"tiffinfo": {700: content}} if kind == "TIFF" else options
    assert xmp_packet.title(xmp_packet.packet(opened(saved(picture(1), kind, options)))) == "Lake"


def png_text(content: bytes) -> object:
    from PIL.PngImagePlugin import PngInfo

    made = PngInfo()
    made.add_itxt("XML:com.adobe.xmp", content.decode())
    return made
