"""Greyscale of more than 8 bits looks as its version of 8 bits does."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, TiffImagePlugin
from support.making import picture, saved

from lexel.pipeline.images.decode import decode

GREY = np.asarray(picture(9).convert("L"), np.float64)
GREY = (GREY - GREY.min()) * 250 / (GREY.max() - GREY.min()) + 3  # 3 to 253
DARK = GREY * 0.12  # up to 30
Numbers = npt.NDArray[Any]


def _tiff(values: Numbers, tags: dict[int, Any] | None = None) -> bytes:
    about = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (tags or {}).items():
        about[tag] = value
    return saved(Image.fromarray(values), "TIFF", {"tiffinfo": about})


def _apart(content: bytes, wanted: Numbers) -> float:
    found = np.asarray(decode(content).image)
    assert (found[..., 0] == found[..., 2]).all()
    return float(np.abs(found[..., 0] - wanted).max())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_the_bits_that_are_used_are_all(kind: str, bits: int) -> None:
    values = (GREY * (2**bits - 1) / 255).round().astype(np.uint16)
    assert _apart(saved(Image.fromarray(values), kind), GREY) <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_dark_picture_of_16_bits_stays_dark(kind: str) -> None:
    values = (DARK * 257).round().astype(np.uint16)
    assert 4095 < values.max() < 14_000
    assert _apart(saved(Image.fromarray(values), kind), DARK) <= 1


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((GREY * 257 - 32768).round().astype(np.int32), GREY),
        ((DARK * 257 - 32768).round().astype(np.int32), DARK),
        ((GREY * 16 - 1000).round().astype(np.int32), (GREY - 3) * 255 / 250),
        ((GREY * 65793).astype(np.int32), GREY),
        ((GREY / 255).astype(np.float32), GREY),
        ((DARK / 255).astype(np.float32), DARK),
        (DARK.round().astype(np.float32), DARK),
        (GREY.astype(np.float32), GREY),
        ((GREY * 257).astype(np.float32), GREY),
        ((GREY / 25 + 280).astype(np.float32), (GREY - 3) * 255 / 250),
        ((GREY + 1000).round().astype(np.float32), (GREY - 3) * 255 / 250),
        ((GREY / 5000 + 0.5).astype(np.float32), (GREY - 3) * 255 / 250),
        ((GREY / 100 - 1.3).astype(np.float32), (GREY - 3) * 255 / 250),
        ((GREY / 255 - 0.01).astype(np.float32), GREY - 2.55),
        (np.full((4, 4), 0.25, np.float32), 64),
        (np.full((4, 4), 300.0, np.float32), 75),
        (np.full((4, 4), -7.0, np.float32), 0),
        (np.full((4, 4), np.nan, np.float32), 0),
    ],
)
def test_numbers_of_32_bits_are_scaled_by_the_range_that_they_use(values: Numbers, wanted: Numbers) -> None:
    assert _apart(_tiff(values), wanted) <= 1.5


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf, np.finfo(np.float32).min, -9999.0])
def test_what_is_no_value_is_black_and_moves_no_range(nothing: float) -> None:
    values = (GREY * 3 + 2000).astype(np.float32)
    values[:10] = nothing
    wanted = (GREY - GREY[10:].min()) * 255 / np.ptp(GREY[10:])
    wanted[:10] = 0
    assert _apart(_tiff(values, {42113: "-9999"} if nothing == -9999 else None), wanted) <= 1


@pytest.mark.parametrize(
    ("values", "tags", "wanted"),
    [
        ((DARK * 16).astype(np.uint16), {281: 4095}, DARK),
        ((DARK * 64).astype(np.uint16), {281: 16383}, DARK),
        ((DARK * 100).astype(np.uint16), {281: 65535}, DARK * 100 / 257),
        ((GREY * 16).astype(np.uint16), {281: 9}, GREY),
        ((GREY * 257).astype(np.uint16), {262: 0}, 255 - GREY),
        ((GREY / 2 + 500).astype(np.float32), {340: 500.0, 341: 627.5}, GREY),
    ],
)
def test_what_a_tiff_says_of_its_values_is_heard(values: Numbers, tags: dict[int, Any], wanted: Numbers) -> None:
    assert _apart(_tiff(values, tags), wanted) <= 1.5


def test_unsigned_numbers_of_32_bits_are_not_negative() -> None:
    signed = _tiff((GREY * 2**24).astype(np.uint32).view(np.int32))
    sample_format = b"\x53\1\3\0\1\0\0\0"
    assert signed.count(sample_format + b"\2") == 1
    assert _apart(signed.replace(sample_format + b"\2", sample_format + b"\1"), GREY) <= 1.5


def test_a_pgm_says_its_range() -> None:
    values = (DARK * 16).astype(np.uint16)
    assert _apart(b"P5 64 48 4095\n" + values.astype(">u2").tobytes(), DARK) <= 1.5


def test_what_a_tiff_says_may_be_nonsense() -> None:
    values = (GREY * 257).round().astype(np.uint16)
    for tags in ({42113: "none"}, {281: 0}, {42113: ""}):
        assert _apart(_tiff(values, tags), GREY) <= 1


def test_linear_light_in_16_bits_keeps_its_shadows() -> None:
    from test_colour_profile import grey_profile  # type: ignore[import-not-found]

    light = np.where(GREY / 255 <= 0.04045, GREY / 255 / 12.92, ((GREY / 255 + 0.055) / 1.055) ** 2.4)
    values = (light * 65535).round().astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        assert _apart(saved(Image.fromarray(values), kind, {"icc_profile": grey_profile(gamma=1)}), GREY) <= 3
