"""The facts of a picture, through the decoder and its process, and that no file is worse for asking."""

import io
import random
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import ExifTags, Image
from support.making import jpeg, picture, saved
from support.pictures.embedded import BERLIN_PLACE, camera_exif, iptc, jpeg_with_iptc, people_xmp, photograph

from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.decode import BadImageError, decode
from lexel.pipeline.images.embedded.tag_text import tidy, tidy_all
from lexel.pipeline.images.preview import PreviewOptions

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # pytest takes away the filter that `decode` sets
WHOLE = {
    "taken": "2019-07-04T12:34:56",
    "place": BERLIN_PLACE,
    "camera": "Canon EOS 5D",
    "lens": "EF 50mm f/1.8",
    "orientation": 1,
    "title": "The lake",
    "description": "Grandma at the lake",
    "keywords": ["Grandma", "Berlin"],
    "rating": 4,
}


def facts(content: bytes) -> Mapping[str, Any]:
    return decode(content, facts=True).facts


def test_a_photograph_says_all_of_it_under_fixed_names() -> None:
    assert facts(photograph()) == WHOLE
    assert facts(jpeg(1)) == {}
    assert decode(photograph()).facts == {}


def test_the_decoders_process_says_the_same() -> None:
    content = photograph(title="Zürich 😀")
    found = decoder_pool.decode(content, facts=True)
    assert found.facts == WHOLE | {"title": "Zürich 😀"}
    assert decoder_pool.decode(content).facts == {}
    assert found.rows.tobytes() == decoder_pool.decode(content).rows.tobytes()


def test_xmp_goes_before_iptc_which_fills_what_it_lacks() -> None:
    records = iptc([((2, 5), b"Old title"), ((2, 120), b"Old words"), ((2, 25), b"old"), ((2, 25), b" old ")])
    both = jpeg_with_iptc(photograph(title="", description="New words"), records)
    assert (facts(both)["title"], facts(both)["description"]) == ("Old title", "New words")
    assert facts(both)["keywords"] == ["Grandma", "Berlin"]
    assert facts(jpeg_with_iptc(jpeg(1), records))["keywords"] == ["old"]


def test_heic_carries_it_and_keeps_its_turn_to_itself() -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    written = people_xmp(title="The lake", description="Grandma at the lake", keywords=["Grandma", "Berlin"])
    content = saved(picture(1), "HEIF", {"exif": camera_exif().tobytes(), "xmp": written})
    assert facts(content) == WHOLE


def test_a_broken_part_costs_no_other() -> None:
    for broken in (b"<x", b"\xff" * 50):
        content = saved(picture(1), "JPEG", {"exif": camera_exif(), "xmp": broken})
        assert facts(content).keys() == {"taken", "place", "camera", "lens", "orientation"}
    nowhere = camera_exif(position=((95.0, 0.0, 0.0), "N", (1.0, 0.0, 0.0), "E"))
    assert facts(saved(picture(1), "JPEG", {"exif": nowhere})).keys() == {"taken", "camera", "lens", "orientation"}


def _outcome(content: bytes, *, asked: bool) -> tuple[str, bytes]:
    try:
        return "good", decode(content, facts=asked).image.tobytes()
    except BadImageError as error:
        return str(error), b""


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_no_picture_is_worse_for_what_is_written_in_it(kind: str) -> None:
    """Bytes flipped, or lengths made absurd, and whatever comes of it: the same picture, or the same reason."""
    records = iptc([((1, 90), b"\x1b%G"), ((2, 5), b"Lake"), ((2, 25), b"a"), ((2, 25), b"b")])
    content = jpeg_with_iptc(photograph(), records)
    end = content.index(b"\xff\xdb")
    if kind != "JPEG":
        content = saved(picture(1, (16, 12)), kind, {"exif": camera_exif()})
        end = len(content)
    chance, good = random.Random(0), 0
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 12 if kind == "JPEG" else 3)):
            damaged[chance.randrange(20, end)] = chance.choice([0, 0xFF, chance.randrange(256)])
        wanted = _outcome(bytes(damaged), asked=False)
        assert _outcome(bytes(damaged), asked=True) == wanted
        good += wanted[0] == "good"
    assert good > 20


def test_a_huge_count_of_values_is_no_huge_memory() -> None:
    exif = camera_exif().tobytes()
    at = exif.index(
        struct.pack("<H", ExifTags.Base.Make) if exif[6:8] == b"II" else struct.pack(">H", ExifTags.Base.Make)
    )
    broken = exif[: at + 4] + b"\xff\xff\xff\x7f" + exif[at + 8 :]
    assert decode(saved(picture(1), "JPEG", {"exif": broken}), facts=True).size == (64, 48)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("  a \n b\t", "a b"),
        ("a\0junk", "a"),
        ("\0\0", None),
        ("a\x07b\x7f", "ab"),
        ("CafÃ©", "Café"),
        (b"Caf\xe9", "Café"),
        ("Café".encode(), "Café"),
        ("x" * 20, "x" * 10),
        ("👩‍🚀", "👩‍🚀"),
        ("a\ud800b", "ab"),
        (None, None),
        (5, None),
        ("", None),
    ],
)
def test_text_is_one_line_that_can_be_stored(value: Any, wanted: str | None) -> None:
    assert tidy(value, most=10) == wanted


def test_of_texts_each_is_once_and_not_too_many() -> None:
    assert tidy_all(["a", " a", "", None, "b", "c"], most=5, count=2) == ["a", "b"]


def test_keywords_without_end_are_cut() -> None:
    found = facts(photograph(keywords=[f"word{i}" for i in range(700)] + ["x" * 300]))["keywords"]
    assert len(found) == 500
    assert facts(photograph(keywords=["x" * 300]))["keywords"] == ["x" * 200]


def test_thumbnails_hold_none_of_it() -> None:
    """Nor the profile, the comment, or anything else but pixels."""
    found = decoder_pool.decode(photograph(), preview=PreviewOptions(32), facts=True).preview
    assert found is not None
    assert found.thumbnail is not None
    for secret in (b"Exif", b"Canon", b"Grandma", b"http", b"Photoshop"):
        assert secret not in found.thumbnail
    with Image.open(io.BytesIO(found.thumbnail)) as small:
        assert not small.getexif()
        assert small.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
