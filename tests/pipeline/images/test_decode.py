"""Decoding: pictures of every mode and kind come out upright and RGB."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from support.making import jpeg, picture, saved

from lexel.pipeline.images.decode import decode

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # pytest takes away the filter that the module sets

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _values(image: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(image).astype(np.int16)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", [1, *TURNS])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_each_exif_orientation_gives_the_upright_picture(kind: str, orientation: int) -> None:
    upright = picture(3, (40, 24))
    turned = upright.transpose(TURNS[orientation]) if orientation in TURNS else upright
    exact: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    found = decode(saved(turned, kind, {**exact.get(kind, {}), "exif": _exif(orientation)})).image
    assert found.size == upright.size
    assert np.abs(_values(found) - _values(upright)).max() <= (6 if kind == "JPEG" else 0)


@pytest.mark.parametrize("orientation", [1, *TURNS])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_large_picture_comes_halved_and_upright_and_says_how_large_it_is(kind: str, orientation: int) -> None:
    upright = picture(3, (40, 25)).resize((1200, 750), Image.Resampling.BICUBIC)
    turned = upright.transpose(TURNS[orientation]) if orientation in TURNS else upright
    content = saved(turned, kind, {"exif": _exif(orientation)})
    found = decode(content, least=100)
    assert (found.size, found.image.size) == ((1200, 750), (300, 188))
    wanted = upright.resize((300, 188), Image.Resampling.BOX)
    assert np.abs(_values(found.image) - _values(wanted)).mean() < 4
    assert decode(content, least=400).image.tobytes() == decode(content).image.tobytes()


@pytest.mark.parametrize("size", [(800, 801), (803, 1600), (99, 5000)])
@pytest.mark.parametrize("least", [1, 99, 100, 101, 400, 401, 5000])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_halved_picture_keeps_what_was_asked_for(kind: str, size: tuple[int, int], least: int) -> None:
    found = decode(saved(Image.new("RGB", size, "teal"), kind), least=least)
    assert found.size == size
    assert min(found.image.size) >= min(least, *size)
    assert min(found.image.size) <= 2 * least or found.image.size == size


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + bytes(range(200)), b"?"])
def test_a_broken_exif_block_is_survived(exif: bytes) -> None:
    assert decode(saved(picture(1), "JPEG", {"exif": exif})).size == (64, 48)


def test_an_orientation_that_does_not_exist_is_no_turn() -> None:
    assert decode(saved(picture(1), "PNG", {"exif": _exif(77)})).image.tobytes() == picture(1).tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_mode_becomes_the_same_picture(mode: str) -> None:
    source = picture(2) if mode != "LAB" else Image.new("RGB", (64, 48), (128, 128, 128))
    kind = {"CMYK": "JPEG", "YCbCr": "JPEG", "LAB": "TIFF", "HSV": "PNG"}.get(mode, "PNG")
    made = Image.new("LAB", (64, 48), (137, 128, 128)) if mode == "LAB" else source.convert(mode)
    found = decode(saved(made.convert("RGB") if mode == "HSV" else made, kind)).image
    assert (found.mode, found.size) == ("RGB", (64, 48))
    wanted = source.convert(mode).convert("RGB") if mode in {"1", "L", "P"} else source
    assert np.abs(_values(found) - _values(wanted)).mean() < 4


def test_grey_of_16_bits_stays_mid_grey() -> None:
    content = saved(Image.fromarray(np.full((8, 8), 32768, np.uint16)), "PNG")
    assert decode(content).image.getpixel((3, 3)) == (128, 128, 128)
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    assert _values(decode(saved(Image.fromarray(ramp), "PNG")).image)[0, :, 0].tolist() == list(range(256))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[0, 32768, 65535]], np.int32), [0, 128, 255]),
        (np.array([[-5, 50_000, 100_000]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 127.6, 255.0]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0.0, 0.0, 0.0]], np.float32), [0, 0, 0]),
    ],
)
def test_whole_and_floating_numbers_are_scaled_by_their_range(
    values: npt.NDArray[np.float32], wanted: list[int]
) -> None:
    found = decode(saved(Image.fromarray(values), "TIFF")).image
    assert [int(v) for v in _values(found)[0, :, 0]] == wanted


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    half = Image.new("RGBA", (4, 2), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 2, 2))
    made = half.convert("RGB").quantize() if mode == "P" else half.convert(mode)
    keys: dict[str, Any] = {"P": made.getpixel((0, 0)), "RGB": (0, 0, 0), "L": 0}
    options = {"transparency": keys[mode]} if mode in keys else {}
    found = decode(saved(made, "PNG", options)).image
    assert found.getpixel((0, 0)) == (255, 255, 255)
    assert found.getpixel((3, 1)) != (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_is_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("#00ff00", "#ff0000", "#0000ff")]
    content = saved(frames[0], kind, {"save_all": True, "append_images": frames[1:], "duration": 50, "lossless": True})
    with Image.open(io.BytesIO(content)) as check:
        assert check.n_frames == 3  # type: ignore[attr-defined]
    assert decode(content).image.getpixel((8, 8)) == (0, 255, 0)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_extreme_shapes(size: tuple[int, int], kind: str) -> None:
    assert decode(saved(Image.new("RGB", size, "white"), kind)).size == size


def test_a_wrong_extension_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(saved(picture(4), "PNG"))
    assert decode(path.read_bytes()).image.tobytes() == picture(4).tobytes()


def test_the_picture_outlives_its_bytes() -> None:
    found = decode(jpeg(1)).image
    assert found.load() is not None
    assert found.resize((5, 5)).size == (5, 5)
    found.putpixel((0, 0), (1, 2, 3))
    assert found.getpixel((0, 0)) == (1, 2, 3)


def test_real_photographs(shared: Path) -> None:
    photos = sorted((shared / "data" / "photos").glob("*.jpg"))
    assert photos
    for path in photos:
        with Image.open(path) as wanted:
            found = decode(path.read_bytes()).image
            assert found.mode == "RGB"
            assert sorted(found.size) == sorted(wanted.size)
            assert np.std(_values(found)) > 5
