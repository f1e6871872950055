"""IPTC records in JPEGs and TIFFs, in the character sets that programs wrote them in."""

import pytest
from support.making import jpeg, picture, saved
from support.pictures.embedded import iptc, jpeg_with_iptc, opened

from lexel.pipeline.images.embedded import iptc_records

TITLE, KEYWORD, CAPTION, CHARACTER_SET = (2, 5), (2, 25), (2, 120), (1, 90)


def read(*records: tuple[tuple[int, int], bytes]) -> iptc_records.Records:
    return iptc_records.records(opened(jpeg_with_iptc(jpeg(1), iptc(records))))


def test_title_caption_and_keywords_are_read() -> None:
    found = read((TITLE, b"Lake"), (CAPTION, b"At the lake"), (KEYWORD, b"a"), (KEYWORD, b"b"))
    assert iptc_records.title(found) == "Lake"
    assert iptc_records.description(found) == "At the lake"
    assert list(iptc_records.keywords(found)) == ["a", "b"]
    assert list(iptc_records.keywords(read((KEYWORD, b"one")))) == ["one"]


@pytest.mark.parametrize(
    ("before", "content", "wanted"),
    [
        ([(CHARACTER_SET, b"\x1b%G")], "Café".encode(), "Café"),
        ([], "Café".encode(), "Café"),
        ([], "Café".encode("latin-1"), "Café"),
        ([], b"\x93quoted\x94", "“quoted”"),
        ([(CHARACTER_SET, b"\x1b%G")], b"Caf\xe9", "Caf�"),
    ],
)
def test_letters_are_those_that_were_meant(
    before: list[tuple[tuple[int, int], bytes]], content: bytes, wanted: str
) -> None:
    assert iptc_records.title(read(*before, (TITLE, content))) == wanted


def test_a_tiff_carries_it_and_most_pictures_have_none() -> None:
    records = iptc([(TITLE, b"Lake")])
    found = iptc_records.records(opened(saved(picture(1), "TIFF", {"tiffinfo": {33723: records}})))
    assert iptc_records.title(found) == "Lake"
    none = iptc_records.records(opened(jpeg(1)))
    assert (iptc_records.title(none), list(iptc_records.keywords(none))) == (None, [])
    assert iptc_records.records(opened(saved(picture(1), "PNG"))) == {}
