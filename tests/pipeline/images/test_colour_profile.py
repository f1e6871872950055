"""Colour profiles: a picture in another space than sRGB comes out in sRGB, and one in sRGB as it is."""

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms
from support.making import picture, saved

from lexel.pipeline.images.decode import decode

WHITE = (0.9642, 1.0, 0.8249)
XYZ = tuple[float, float, float]
# Red, green and blue of known spaces, adapted to D50.
ADOBE_RGB: tuple[XYZ, XYZ, XYZ] = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
DISPLAY_P3: tuple[XYZ, XYZ, XYZ] = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
PROPHOTO: tuple[XYZ, XYZ, XYZ] = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
SRGB: tuple[XYZ, XYZ, XYZ] = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def rgb_profile(primaries: tuple[XYZ, XYZ, XYZ], *, gamma: float) -> bytes:
    """A display's profile with these primaries."""
    tags = {name: _xyz(value) for name, value in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return _profile(b"RGB ", tags | {name: _curve(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")})


def grey_profile(*, gamma: float) -> bytes:
    """A profile of greyscale; with gamma 1 it is linear light."""
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def printer_profile() -> bytes:
    """A printer whose cyan ink is red, its magenta green, its yellow blue; and black ink is black."""
    inks = np.array([[138, 209, 198], [224, 42, 209], [79, 196, 16]], float)  # Lab of red, green, blue: 8 bits
    nodes = b""
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        wet = [ink for ink, on in zip(inks, (c, m, y), strict=True) if on]
        lab = np.array([0, 128, 128]) if k else np.mean(wet, axis=0) if wet else np.array([255, 128, 128])
        nodes += bytes(int(v) for v in lab)
    ramp = bytes(range(256))
    one = b"".join(struct.pack(">i", 65536 if i % 4 == 0 else 0) for i in range(9))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + one + 4 * ramp + nodes + 3 * ramp
    return _profile(b"CMYK", {b"A2B0": table, b"A2B1": table}, kind=b"prtr", pcs=b"Lab ")


def _number(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(value: XYZ) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_number, value))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    about = b"desc\0\0\0\0" + struct.pack(">I", 6) + b"tests\0" + bytes(78)
    tags = {b"desc": about, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(WHITE), **tags}
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(data), b"lcms", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(_number, WHITE))
    return head.ljust(128, b"\0") + table + data


LOSSLESS: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}
WIDE = {
    "Adobe RGB": rgb_profile(ADOBE_RGB, gamma=2.2),
    "Display P3": rgb_profile(DISPLAY_P3, gamma=2.2),
    "ProPhoto": rgb_profile(PROPHOTO, gamma=1.8),
    "green, blue, red": rgb_profile((SRGB[1], SRGB[2], SRGB[0]), gamma=2.2),
    "linear light": rgb_profile(SRGB, gamma=1.0),
}
BUILT_IN = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _values(image: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(image).astype(np.int16)


def _apart(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(_values(one) - _values(other)).mean())


def _in(image: Image.Image, profile: bytes, mode: str = "RGB") -> Image.Image:
    """The sRGB picture `image` with its colours as `profile` writes them."""
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    found = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), space, 1, mode)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("name", WIDE)
def test_colours_of_a_profile_come_out_in_srgb(name: str, kind: str) -> None:
    muted = Image.blend(picture(5), Image.new("RGB", (64, 48), "grey"), 0.4)  # colours that all of the spaces have
    written = _in(muted, WIDE[name])
    assert _apart(written, muted) > 4
    content = saved(written, kind, {**LOSSLESS.get(kind, {}), "icc_profile": WIDE[name]})
    assert _apart(decode(content).image, muted) < (5 if name == "linear light" or kind == "AVIF" else 3)


def test_a_large_jpeg_is_scaled_turned_and_converted() -> None:
    upright = Image.blend(picture(8, (40, 25)), Image.new("RGB", (40, 25), "grey"), 0.4).resize((1200, 750))
    exif = Image.Exif()
    exif[0x0112] = 6
    written = _in(upright, WIDE["Adobe RGB"]).transpose(Image.Transpose.ROTATE_90)
    found = decode(saved(written, "JPEG", {"exif": exif, "icc_profile": WIDE["Adobe RGB"], "quality": 95}), least=100)
    assert (found.size, found.image.size) == ((1200, 750), (300, 188))
    assert _apart(found.image, upright.resize((300, 188), Image.Resampling.BOX)) < 3


@pytest.mark.parametrize("profile", [BUILT_IN, rgb_profile(SRGB, gamma=2.2)[:300], b"", b"no profile", bytes(4000)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "CMYK"])
def test_srgb_and_what_is_no_profile_change_no_byte(profile: bytes, mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    made = picture(6).convert(mode)
    for least in (None, 10):
        tagged = decode(saved(made, kind, {"icc_profile": profile}), least=least)
        assert tagged.image.tobytes() == decode(saved(made, kind), least=least).image.tobytes()


def test_a_profile_of_another_kind_of_pixels_is_no_profile() -> None:
    for mode, profile in (("RGB", grey_profile(gamma=1)), ("CMYK", WIDE["ProPhoto"])):
        made = picture(6).convert(mode)
        tagged = decode(saved(made, "TIFF", {"icc_profile": profile})).image
        assert tagged.tobytes() == decode(saved(made, "TIFF")).image.tobytes()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_linear_grey_becomes_the_grey_that_is_meant(mode: str) -> None:
    light = picture(7).convert("L")
    dark = light.point([round(255 * _light(v / 255)) for v in range(256)])
    found = decode(saved(dark.convert(mode), "PNG", {"icc_profile": grey_profile(gamma=1)})).image
    assert _apart(dark, light) > 30
    assert _apart(found, light.convert("RGB")) < 3


def _light(value: float) -> float:
    """The light of a value of sRGB, both 0 to 1."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_grey_and_palettes_in_a_colour_profile(mode: str) -> None:
    made = Image.new("L", (8, 8), 55).convert(mode)
    found = decode(saved(made, "PNG", {"icc_profile": WIDE["linear light"]})).image
    assert np.abs(_values(found) - 128).max() <= 2  # the middle grey has a fifth of the light


def test_what_is_transparent_stays_so_under_a_profile() -> None:
    made = picture(6).convert("RGBA")
    made.paste((0, 0, 0, 0), (0, 0, 32, 48))
    found = decode(saved(made, "PNG", {"icc_profile": WIDE["green, blue, red"]})).image
    assert found.getpixel((3, 3)) == (255, 255, 255)
    red, green, blue = (int(v) for v in _values(made)[24, 60, :3])
    assert np.abs(_values(found)[24, 60] - (blue, red, green)).max() < 12


def test_a_lab_tiff_is_what_its_colours_are() -> None:
    lab = ImageCms.profileToProfile(
        picture(4), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), 1, outputMode="LAB"
    )
    assert lab is not None
    assert _apart(decode(saved(lab, "TIFF")).image, picture(4)) < 3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_what_the_printers_profile_says(kind: str) -> None:
    inks = [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)]
    made = Image.new("CMYK", (80, 16))
    for i, ink in enumerate(inks):
        made.paste(ink, (16 * i, 0, 16 * i + 16, 16))
    found = decode(saved(made, kind, {"icc_profile": printer_profile()})).image
    wanted = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)]
    assert all(np.abs(_values(found)[8, 16 * i + 8] - wanted[i]).max() < 40 for i in range(5))
