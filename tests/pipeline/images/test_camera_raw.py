"""Raw files of cameras: their preview is the picture, upright; without the extra, the reason names it."""

import random
import struct
import sys

import numpy as np
import pytest
from PIL import Image
from support.making import picture, saved

from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.camera_raw import is_camera_raw
from lexel.pipeline.images.decode import BadImageError, decode

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")
UPRIGHT = picture(5, (240, 160))
Tags = list[tuple[int, int, int, bytes]]  # tag, type, count, value


def _directory(tags: Tags, place: int) -> bytes:
    """A TIFF's directory at `place`, its long values behind it."""
    head, rest = struct.pack("<H", len(tags)), b""
    behind = place + 2 + 12 * len(tags) + 4
    for tag, kind, count, value in sorted(tags):
        at = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", behind + len(rest))
        head += struct.pack("<HHI", tag, kind, count) + at
        rest += b"" if len(value) <= 4 else value + bytes(len(value) % 2)
    return head + bytes(4) + rest


def _dng(preview: bytes, *, orientation: int = 1, size: tuple[int, int] = (320, 200)) -> bytes:
    """A DNG of grey pixels of a sensor; with `preview` a JPEG of another picture."""
    width, height = size
    sensor = np.full((height, width), 2000, "<u2").tobytes()
    after = 8 + len(preview) + len(sensor)
    long, short = (lambda *v: struct.pack(f"<{len(v)}I", *v)), (lambda *v: struct.pack(f"<{len(v)}H", *v))
    raw: Tags = [(254, 4, 1, long(0)), (256, 4, 1, long(width)), (257, 4, 1, long(height)), (258, 3, 1, short(16))]
    raw += [(259, 3, 1, short(1)), (262, 3, 1, short(32803)), (273, 4, 1, long(8 + len(preview)))]
    raw += [(277, 3, 1, short(1)), (278, 4, 1, long(height)), (279, 4, 1, long(len(sensor)))]
    raw += [(33421, 3, 2, short(2, 2)), (33422, 1, 4, bytes([0, 1, 1, 2])), (50717, 4, 1, long(4095))]
    sub = _directory(raw, after)
    matrix = struct.pack("<18i", *(v for n in (1, 0, 0, 0, 1, 0, 0, 0, 1) for v in (n, 1)))
    first: Tags = [
        (254, 4, 1, long(1)),
        (271, 2, 6, b"Tests\0"),
        (272, 2, 6, b"Camera\0"[:6]),
        (330, 4, 1, long(after)),
    ]
    first += [(274, 3, 1, short(orientation)), (50706, 1, 4, bytes([1, 4, 0, 0])), (50721, 10, 9, matrix)]
    if preview:
        first += [(256, 4, 1, long(240)), (257, 4, 1, long(160)), (258, 3, 3, short(8, 8, 8)), (259, 3, 1, short(7))]
        first += [(262, 3, 1, short(6)), (273, 4, 1, long(8)), (277, 3, 1, short(3)), (278, 4, 1, long(160))]
        first += [(279, 4, 1, long(len(preview)))]
    main = _directory(first, after + len(sub))
    return b"II*\0" + struct.pack("<I", after + len(sub)) + preview + sensor + sub + main


PREVIEW = saved(UPRIGHT, "JPEG", {"quality": 95})


def _apart(found: Image.Image, wanted: Image.Image) -> float:
    assert found.size == wanted.size
    return float(np.abs(np.asarray(found, np.int16) - np.asarray(wanted, np.int16)).mean())


def test_a_raw_file_is_its_preview() -> None:
    found = decoder_pool.decode(_dng(PREVIEW))
    assert found.size == (320, 200)
    assert _apart(found.image, UPRIGHT) < 3


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_270), (8, Image.Transpose.ROTATE_90)],
)
@pytest.mark.parametrize("said_twice", [False, True])
def test_a_preview_is_turned_once(orientation: int, turn: Image.Transpose, said_twice: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} if said_twice else {}
    found = decode(_dng(saved(UPRIGHT, "JPEG", {"quality": 95, **options}), orientation=orientation))
    assert _apart(found.image, UPRIGHT.transpose(turn)) < 3
    assert found.size == ((320, 200) if orientation == 3 else (200, 320))


def test_without_a_preview_the_sensors_picture_is_made() -> None:
    found = decode(_dng(b""))
    assert found.size == (320, 200)
    assert found.image.mode == "RGB"


def test_without_the_extra_the_reason_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    for content in (
        _dng(PREVIEW),
        b"FUJIFILMCCD-RAW 0201",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"IIU\0" + bytes(40),
    ):
        with pytest.raises(BadImageError, match=r"raw file; .* lexel\[raw\]"):
            decode(content)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG", "AVIF", "HEIF"])
def test_other_pictures_are_no_raw_files(kind: str) -> None:
    from lexel.pipeline.images import heic

    heic.register()
    assert not is_camera_raw(saved(UPRIGHT, kind))
    assert not is_camera_raw(saved(UPRIGHT, kind)[:12])


def test_damaged_raw_files_are_pictures_or_bad_and_nothing_else() -> None:
    whole, chance, seen = _dng(PREVIEW), random.Random(4), set()
    for _ in range(120):
        broken = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        for _ in range(chance.choice([1, 3, 20])):
            broken[chance.randrange(max(0, len(broken) - 600), len(broken))] = chance.randrange(256)
        try:
            seen.add(decoder_pool.decode(bytes(broken), seconds=20).image.mode)
        except BadImageError as error:
            seen.add(str(error).partition(":")[0])
    assert {"RGB", "broken"} <= seen <= {"RGB", "broken", "truncated", "too large", "not an image", "too slow"}
