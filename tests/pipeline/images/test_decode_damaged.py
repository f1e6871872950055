"""Decoding what is truncated, damaged, too large or no picture: a reason comes out, and nothing else happens."""

import random
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.making import picture, saved

from lexel.pipeline.images.decode import BadImageError, decode

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # pytest takes away the filter that the module sets

FUZZED: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "PNG": {},
    "WEBP": {"lossless": True},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "JPEG2000": {},
    "TGA": {"compression": "tga_rle"},
    "ICO": {},
    "PPM": {},
}


def _reason(content: bytes) -> str:
    with pytest.raises(BadImageError) as caught:
        decode(content)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.03, 0.5, 0.9])
def test_a_truncated_file_says_that_it_is_broken(kind: str, part: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = saved(noise, kind)
    reason = _reason(content[: max(12, int(len(content) * part))])
    assert reason.startswith(("truncated: ", "broken: ")), reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "zero bytes"),
        (b"Dear all,\nthe picture is attached.\n" * 9, "not an image"),
        (b"BMW and others", "not an image"),
        (b"\xef\xbb\xbf\n  <!DOCTYPE html><title>404</title>", "web page"),
        (b"<html><body>gone</body></html>", "web page"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0" * 5000, "not an image"),
        (random.Random(5).randbytes(5000), "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "not an image"),
        (b"%PDF-1.7\n" + b"x" * 500, "not an image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 400, "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"x" * 400, "HEIC"),
        (b"\x89PNG\r\n\x1a\n", "broken"),
        (b"\xff\xd8\xff\xe0", "broken"),
    ],
)
def test_what_is_not_a_picture_says_what_it_is(content: bytes, words: str) -> None:
    assert words in _reason(content)


def _png_of(width: int, height: int) -> bytes:
    """A whole grey PNG of any size in a few hundred kilobytes: its pixels are zeros, packed as they are made."""
    packer, row = zlib.compressobj(9), bytes(1 + width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_bomb_is_refused_by_its_header() -> None:
    header = _png_of(1, 1)
    bomb = header[:16] + struct.pack(">II", 100_000, 100_000) + header[24:]
    bomb = bomb[:29] + struct.pack(">I", zlib.crc32(bomb[12:29])) + bomb[33:]
    assert "too large" in _reason(bomb)


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
    print(decode(content).size)
except BadImageError as error:
    print(error)
print(peak() - before)
"""


def _decoded_aside(path: Path) -> tuple[str, int]:
    """What a process of its own says of a picture, and by how many KiB its memory grew."""
    command = [sys.executable, "-c", _PEAK, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    said, grown = answer.stdout.splitlines()
    return said, int(grown)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("icon", [False, True])
def test_just_over_the_limit_takes_no_memory(tmp_path: Path, icon: bool) -> None:
    big = _png_of(10_001, 10_000)
    # An icon is decoded while it is opened, so only Pillow's own check can stop the PNG inside it.
    entry = struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(big), 22)
    (tmp_path / "big").write_bytes(entry + big if icon else big)
    said, grown = _decoded_aside(tmp_path / "big")
    assert said == "too large: over 100 megapixels"
    assert grown < 50_000


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_at_the_limit_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(_png_of(10_000, 10_000))
    said, grown = _decoded_aside(tmp_path / "big")
    assert said == "(10000, 10000)"
    assert grown > 300_000  # so the test above would see it


def _damaged(content: bytes, chance: random.Random) -> bytes:
    broken = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 30])):
        place = chance.randrange(min(len(broken), chance.choice([64, len(broken)])))
        broken[place] = chance.randrange(256)
    if chance.random() < 0.2:
        del broken[chance.randrange(len(broken)) :]
    return bytes(broken)


@pytest.mark.parametrize("kind", FUZZED)
def test_damaged_files_are_pictures_or_bad_and_nothing_else(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(kind)
    whole = [saved(picture(i, (24, 16)), kind, FUZZED[kind]) for i in range(3)]
    reasons: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        # What a user's Python does, which has no filters of pytest's, and what the module adds.
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=r"PIL\b")
        for _ in range(300):
            try:
                found = decode(_damaged(chance.choice(whole), chance)).image
            except BadImageError as error:
                reasons.append(str(error).partition(":")[0])
            else:
                assert found.mode == "RGB"
                assert min(found.size) > 0
    assert set(reasons) <= {"broken", "truncated", "too large", "empty", "not an image"}
    assert reasons
    assert not seen
    if kind != "TIFF":  # libtiff itself writes of broken strips to the standard error, and Pillow does not stop it
        assert capfd.readouterr() == ("", "")


def test_nothing_is_said_about_bad_tags(tmp_path: Path) -> None:
    """In a fresh Python, as a user has it: neither a warning nor a line from a library below."""
    tags = saved(picture(), "TIFF")
    samples = tags.index(b"\x15\x01\x03\x00\x01\x00\x00\x00") + 8
    files = {
        "exif": saved(picture(), "JPEG", {"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"}),
        "palette": saved(picture().quantize(), "PNG", {"transparency": bytes(range(100))}),
        "tiff": tags[:samples] + b"\xff\x7f" + tags[samples + 2 :],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    quiet, loud = (_said(tmp_path, imported) for imported in ("from lexel.pipeline.images import decode", ""))
    assert quiet == ""
    assert "Corrupt EXIF" in loud  # Pillow would speak of these files
    assert "More samples per pixel" in loud


def _said(folder: Path, imported: str) -> str:
    """What a program writes that decodes the files of `folder` by Pillow as `decode` does, after `imported`."""
    code = f"import sys\n{imported}\nfrom PIL import Image, ImageOps\n" + (
        "for path in sys.argv[1:]:\n"
        "    try: ImageOps.exif_transpose(Image.open(path)).convert('RGB')\n"
        "    except (OSError, SyntaxError): pass\n"
    )
    files = sorted(map(str, folder.iterdir()))
    answer = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, *files], capture_output=True, text=True, check=True
    )
    return answer.stdout + answer.stderr
