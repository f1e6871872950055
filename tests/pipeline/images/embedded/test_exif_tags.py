"""EXIF: dates, positions and cameras as cameras write them, and nonsense that is missing."""

from fractions import Fraction
from typing import Any

import pytest
from PIL import ExifTags
from PIL.TiffImagePlugin import IFDRational
from support.making import picture, saved
from support.pictures.embedded import BERLIN, BERLIN_PLACE, exif, opened

from lexel.pipeline.images.embedded import exif_tags

BASE, GPS = ExifTags.Base, ExifTags.GPS


@pytest.mark.parametrize(
    ("stamp", "offset", "wanted"),
    [
        ("2019:07:04 12:34:56", None, "2019-07-04T12:34:56"),
        ("2019:07:04 12:34:56\0", "+02:00\0", "2019-07-04T12:34:56+02:00"),
        ("2019-07-04 12:34:56", "Z", "2019-07-04T12:34:56+00:00"),
        ("2019:07:04", "+02:00", "2019-07-04"),
        ("2019:07:04 12:34:56", "  :  ", "2019-07-04T12:34:56"),
        ("2019:07:04 12:34:56", "+99:00", "2019-07-04T12:34:56"),
        ("0000:00:00 00:00:00", None, None),
        ("0001:01:01 00:00:00", None, None),
        ("1700:01:01 00:00:00", None, None),
        ("2019:02:30 12:00:00", None, None),
        ("2019:07:04 25:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("yesterday", None, None),
        ("", None, None),
    ],
)
def test_a_date_is_a_whole_one_or_missing(stamp: str, offset: str | None, wanted: str | None) -> None:
    tags: dict[int, Any] = {BASE.DateTimeOriginal: stamp} | ({BASE.OffsetTimeOriginal: offset} if offset else {})
    assert exif_tags.taken(tags) == wanted


def test_a_scan_has_the_date_of_its_scan_if_no_other_makes_sense() -> None:
    tags = {BASE.DateTimeOriginal: "0000:00:00 00:00:00", BASE.DateTimeDigitized: "2001:02:03 04:05:06"}
    assert exif_tags.taken(tags) == "2001-02-03T04:05:06"
    assert exif_tags.taken({BASE.DateTime: "2001:02:03 04:05:06"}) is None  # when it was changed
    assert exif_tags.taken({BASE.DateTimeOriginal: b"2001:02:03 04:05:06"}) is None


def position(north: Any, side: Any, east: Any, other: Any) -> dict[int, Any]:
    return dict(
        zip(
            (GPS.GPSLatitude, GPS.GPSLatitudeRef, GPS.GPSLongitude, GPS.GPSLongitudeRef),
            (north, side, east, other),
            strict=True,
        )
    )


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (BERLIN, BERLIN_PLACE),
        (((33.0, 51.0, 0.0), "S", (151.0, 12.0, 0.0), "W"), "-33.850000,-151.200000"),
        (((33.0, 51.0, 0.0), b"s\0", (151.0, 12.0, 0.0), b"w\0"), "-33.850000,-151.200000"),
        (((0.0, 0.0, 0.0), "S", (10.0, 0.0, 0.0), "E"), "0.000000,10.000000"),
        (((0.0, 0.0, 0.0), "N", (0.0, 0.0, 0.0), "E"), None),
        (((91.0, 0.0, 0.0), "N", (10.0, 0.0, 0.0), "E"), None),
        (((10.0, 0.0, 0.0), "N", (180.0, 1.0, 0.0), "E"), None),
        (((IFDRational(10, 0), 0.0, 0.0), "N", (10.0, 0.0, 0.0), "E"), None),
        (((10.0, 0.0, IFDRational(0, 0)), "N", (10.0, 0.0, 0.0), "E"), None),
        (((float("inf"), 0.0, 0.0), "N", (10.0, 0.0, 0.0), "E"), None),
        (((-10.0, 0.0, 0.0), "N", (10.0, 0.0, 0.0), "E"), None),
        (((10.0, 0.0), "N", (10.0, 0.0, 0.0), "E"), None),
        (((10.0, 0.0, 0.0), None, (10.0, 0.0, 0.0), "E"), None),
        (((10.0, 0.0, 0.0), "E", (10.0, 0.0, 0.0), "N"), None),
        ((None, "N", (10.0, 0.0, 0.0), "E"), None),
    ],
)
def test_a_place_is_on_the_earth_or_missing(tags: tuple[Any, Any, Any, Any], wanted: str | None) -> None:
    assert exif_tags.place(position(*tags)) == wanted


@pytest.mark.parametrize(
    ("make", "model", "wanted"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION\0", "NIKON D750\0\0", "NIKON D750"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        (" Apple ", None, "Apple"),
        (None, "X100", "X100"),
        ("----", "   ", None),
        (5, b"X100", "X100"),
        ("x" * 1000, None, "x" * 200),
    ],
)
def test_a_camera_has_its_make_once(make: Any, model: Any, wanted: str | None) -> None:
    assert exif_tags.camera({BASE.Make: make, BASE.Model: model}) == wanted


def test_the_turn_is_one_of_eight() -> None:
    found = [exif_tags.orientation({BASE.Orientation: value}) for value in (1, 8, 0, 9, "6", None)]
    assert found == [1, 8, None, None, None, None]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_kind_of_file_carries_it(kind: str) -> None:
    tags = exif({BASE.Model: "X100"}, {BASE.DateTimeOriginal: "2019:07:04 12:34:56", BASE.LensModel: "Fujinon"}, BERLIN)
    image = opened(saved(picture(1), kind, {"exif": tags}))
    assert exif_tags.camera(exif_tags.own_tags(image)) == "X100"
    details = exif_tags.details(image)
    assert (exif_tags.taken(details), exif_tags.lens(details)) == ("2019-07-04T12:34:56", "Fujinon")
    assert exif_tags.place(exif_tags.position(image)) == BERLIN_PLACE


def test_degrees_are_those_of_exact_fractions() -> None:
    exact = Fraction(52) + Fraction(31, 60) + Fraction(1203, 360000)
    assert float(BERLIN_PLACE.split(",")[0]) == pytest.approx(float(exact), abs=5e-7)
