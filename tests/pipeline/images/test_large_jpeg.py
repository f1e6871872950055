"""JPEGs of over 100 megapixels: decoded small, in little memory, or refused by their header."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.making import jpeg, picture, saved

from lexel.pipeline.images import decode, decoder_pool
from lexel.pipeline.images.decode import BadImageError

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


def _large(size: tuple[int, int], **options: object) -> bytes:
    return saved(picture(2).convert("L").resize(size), "JPEG", options)


def _sized(content: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    start = next(content.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in content) + 5
    return content[:start] + struct.pack(">HH", height, width) + content[start + 4 :]


def _reason(content: bytes) -> str:
    with pytest.raises(BadImageError) as caught:
        decode.decode(content, least=224)
    return str(caught.value)


def test_200_megapixels_are_the_same_picture_in_small() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    found = decoder_pool.decode(_large((16_320, 12_240), exif=exif), least=224)
    assert (found.size, found.image.size) == ((12_240, 16_320), (383, 510))
    small = picture(2).convert("L").resize((510, 383)).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    assert np.abs(np.asarray(found.image, np.int16) - np.asarray(small, np.int16)).mean() < 2


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("most", "sides"), [(480_000, (800, 600)), (479_999, (400, 300)), (30_000, (200, 150)), (9, (100, 75))]
)
def test_as_many_pixels_are_kept_as_the_limit_allows(
    most: int, sides: tuple[int, int], progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_PIXELS", most)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most // 2)
    content = saved(picture(1, (800, 600)), "JPEG", {"progressive": progressive})
    found = decode.decode(content)
    assert (found.size, found.image.size) == ((800, 600), sides)
    small = decode.decode(content, least=75)
    assert (small.size, small.image.size) == ((800, 600), (100, 75))
    if most < 480_000:
        with pytest.raises(BadImageError, match="too large"):
            decode.decode(saved(picture(1, (800, 600)), "PNG"), least=75)


def test_what_would_take_too_long_or_too_much_memory_is_refused() -> None:
    assert _reason(_sized(jpeg(), 65_000, 65_000)) == "too large: over 1,000 megapixels"
    full = {"progressive": True, "subsampling": 0}
    assert "progressive JPEG of 400 megapixels" in _reason(_sized(saved(picture(), "JPEG", full), 20_000, 20_000))
    # Colour at half the size takes half the memory, and grey a third.
    half = {"progressive": True, "subsampling": 2}
    assert "truncated" in _reason(_sized(saved(picture(), "JPEG", half), 20_000, 20_000))
    assert "truncated" in _reason(_sized(saved(picture().convert("L"), "JPEG", full), 20_000, 20_000))
    assert _reason(_sized(jpeg(), 20_000, 20_000)) == f"truncated: {len(jpeg())} bytes cannot hold 400 megapixels"


def test_a_baseline_jpeg_of_a_scan_for_each_colour_holds_its_coefficients_too() -> None:
    content = saved(picture(), "JPEG", {"subsampling": 0})
    start = content.index(b"\xff\xda")
    alone = content[:start] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + content[start + 14 :]
    assert "progressive JPEG" in _reason(_sized(alone, 20_000, 20_000))


# Not `ru_maxrss`, which a process takes over from the one that started it.
_PEAK = """
import re, sys
from pathlib import Path
from lexel.pipeline.images.decode import BadImageError, decode
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
content = Path(sys.argv[1]).read_bytes()
before = peak()
try:
    print(decode(content, least=224).size)
except BadImageError as error:
    print(error)
print(peak() - before)
"""


@ON_LINUX
@pytest.mark.parametrize("kind", ["large", "refused"])
def test_it_takes_little_memory(tmp_path: Path, kind: str) -> None:
    content = _large((12_000, 9_000)) if kind == "large" else _sized(jpeg(), 40_000, 25_001)
    (tmp_path / "big.jpg").write_bytes(content)
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "big.jpg")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    said, grown = answer.stdout.splitlines()
    assert said == ("(12000, 9000)" if kind == "large" else "too large: over 1,000 megapixels")
    assert re.fullmatch(r"\d+", grown)
    assert int(grown) < 50_000
