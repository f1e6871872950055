"""HEIC and AVIF, as phones write them, and what the decoder makes of damaged ones."""

import io
import random

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from support.making import picture, saved
from test_colour_profile import DISPLAY_P3, rgb_profile  # type: ignore[import-not-found]

from lexel.pipeline.images import decoder_pool, heic
from lexel.pipeline.images.decode import BadImageError, decode

pytestmark = pytest.mark.filterwarnings("ignore:::PIL", "ignore:::pillow_heif")
UPRIGHT = picture(5, (240, 160))


def _heic(*images: Image.Image, **options: object) -> bytes:
    file, found = io.BytesIO(), pillow_heif.HeifFile()
    for image in images:
        found.add_from_pillow(image)
    found.save(file, quality=95, **options)
    return file.getvalue()


def _apart(found: Image.Image, wanted: Image.Image) -> float:
    assert found.size == wanted.size
    return float(np.abs(np.asarray(found, np.int16) - np.asarray(wanted, np.int16)).mean())


def test_a_heic_is_a_picture() -> None:
    found = decoder_pool.decode(_heic(UPRIGHT))
    assert found.size == UPRIGHT.size
    assert _apart(found.image, UPRIGHT) < 4


def test_of_several_pictures_the_primary_one_is_seen() -> None:
    content = _heic(picture(1, (240, 160)), UPRIGHT, picture(2, (240, 160)), primary_index=1)
    assert _apart(decode(content).image, UPRIGHT) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_is_made_once(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    heic.register()
    content = saved(UPRIGHT, "HEIF", {"exif": exif.tobytes(), "quality": 95})
    assert (b"irot" in content or b"imir" in content) == (orientation > 1)
    assert _apart(decode(content).image, decode(saved(UPRIGHT, "PNG", {"exif": exif})).image) < 4


def test_a_heic_in_display_p3_is_halved_and_seen_in_srgb() -> None:
    profile = rgb_profile(DISPLAY_P3, gamma=2.2)
    large = UPRIGHT.resize((1200, 800))
    large.info["icc_profile"] = profile
    plain = decode(saved(large, "PNG", {"icc_profile": profile}), least=200)
    found = decode(_heic(large, thumbnails=[320]), least=200)
    assert (found.size, found.image.size) == ((1200, 800), (300, 200))
    assert _apart(found.image, plain.image) < 4


def test_what_is_transparent_in_a_heic_is_white() -> None:
    half = Image.new("RGBA", (128, 64), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 64, 64))
    found = np.asarray(decode(_heic(half)).image, np.int16)
    assert found[32, 10].min() > 250
    assert abs(found[32, 118, 0] - 200) < 9


def test_an_avif_is_left_to_pillow() -> None:
    content = saved(UPRIGHT, "AVIF", {"quality": 90})
    assert not heic.is_heic(content)
    for brand in (b"mif1", b"avif"):
        assert _apart(decode(content[:8] + brand + content[12:]).image, UPRIGHT) < 6


def test_damaged_heics_are_pictures_or_bad_and_nothing_else() -> None:
    whole, chance, seen = _heic(UPRIGHT), random.Random(3), set()
    for _ in range(150):
        broken = bytearray(whole[: chance.choice([len(whole), chance.randrange(30, len(whole))])])
        for _ in range(chance.choice([1, 3, 20])):
            broken[chance.randrange(12, min(len(broken), 600))] = chance.randrange(256)
        try:
            seen.add(decoder_pool.decode(bytes(broken), seconds=20).image.mode)
        except BadImageError as error:
            seen.add(str(error).partition(":")[0])
    assert {"RGB", "broken"} <= seen <= {"RGB", "broken", "truncated", "too large", "not an image"}
