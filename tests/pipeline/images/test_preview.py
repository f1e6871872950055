"""Thumbnails are small and tell nothing beside the picture; hashes are close for copies and far for other pictures."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageEnhance
from scipy.fft import dctn
from support.making import picture, saved

from lexel.pipeline.collection.near_duplicates import RADIUS, groups
from lexel.pipeline.images.decode import decode
from lexel.pipeline.images.perceptual_hash import dct_coefficients, dct_signature, phash
from lexel.pipeline.images.preview import downscaled, make_preview
from lexel.pipeline.scenes import write


def textured(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture with more in it than `picture` has: a grid of random colours, smoothed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def apart(one: Image.Image, other: Image.Image) -> int:
    """Bits that their hashes differ by."""
    hashes = [np.int64(make_preview(image, side=0).phash) for image in (one, other)]
    return int(np.bitwise_count((hashes[0] ^ hashes[1]).view(np.uint64)))


@pytest.mark.parametrize(
    ("size", "side", "wanted"),
    [
        ((640, 480), 256, (256, 192)),
        ((480, 640), 100, (75, 100)),
        ((4000, 30), 256, (256, 2)),
        ((5000, 3), 256, (256, 1)),
        ((256, 256), 256, (256, 256)),
        ((40, 30), 256, (40, 30)),
        ((1, 1), 256, (1, 1)),
    ],
)
def test_a_thumbnail_is_never_larger_than_asked_nor_than_the_picture(
    size: tuple[int, int], side: int, wanted: tuple[int, int]
) -> None:
    thumbnail = make_preview(picture(size=size), side=side).thumbnail
    assert thumbnail is not None
    with Image.open(io.BytesIO(thumbnail)) as small:
        assert (small.format, small.mode, small.size) == ("JPEG", "RGB", wanted)


def test_a_thumbnail_shows_the_picture() -> None:
    whole = textured(3)
    thumbnail = make_preview(whole, side=128).thumbnail
    assert thumbnail is not None
    wanted = np.asarray(whole.resize((128, 96), Image.Resampling.LANCZOS), dtype=float)
    assert np.abs(np.asarray(Image.open(io.BytesIO(thumbnail)), dtype=float) - wanted).mean() < 4


def test_a_thumbnail_carries_nothing_but_the_picture() -> None:
    exif = Image.Exif()
    exif[0x8298] = "SECRET holder"
    content = saved(textured(1), "JPEG", {"exif": exif, "comment": b"SECRET comment", "icc_profile": b"SECRET" * 50})
    thumbnail = make_preview(decode(content).image, side=64).thumbnail
    assert content.count(b"SECRET") >= 3
    assert thumbnail is not None
    assert b"SECRET" not in thumbnail


def test_without_a_side_there_is_a_hash_alone() -> None:
    seen, whole = make_preview(textured(2), side=0), make_preview(textured(2), side=256)
    assert seen.thumbnail is None
    assert seen.phash == whole.phash


def test_the_hash_is_that_of_the_cosine_transform() -> None:
    for seed in range(20):
        image = textured(seed, (128, 96))
        grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BILINEAR), dtype=float)
        slow = dctn(grey)[:8, :8]
        bits = "".join("1" if wave > np.median(slow) else "0" for wave in slow.ravel())
        # scipy's transform is four times ours but for the slowest waves, whose factor is no other.
        assert int(bits, 2) == phash(dct_coefficients(image)) % 2**64


def test_the_waves_are_compared_without_brightness_and_contrast() -> None:
    for seed in range(5):
        image = textured(seed, (128, 96))
        slow = dctn(np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BILINEAR), float), norm="ortho")
        wanted = slow[:8, :8].ravel()
        wanted[0] = 0
        found = np.frombuffer(dct_signature(dct_coefficients(image)), np.int8)
        assert np.abs(found - 127 * wanted / np.linalg.norm(wanted)).max() <= 0.51
    assert dct_signature(dct_coefficients(Image.new("RGB", (50, 50), "red"))) == bytes(64)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS),
    "larger": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC),
    "compressed": lambda image: decode(saved(image, "JPEG", {"quality": 25})).image,
    "grey": lambda image: image.convert("L").convert("RGB"),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_close_and_another_picture_is_not(change: Callable[[Image.Image], Image.Image]) -> None:
    for seed in range(10):
        assert apart(textured(seed), change(textured(seed))) <= RADIUS
        assert apart(textured(seed), textured(seed + 100)) > 3 * RADIUS


def test_a_mirrored_picture_is_another() -> None:
    assert apart(textured(0), textured(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 3 * RADIUS


def test_pictures_of_one_colour_have_no_noise_in_their_hash() -> None:
    flat = [Image.new("RGB", size, colour) for size in ((50, 70), (900, 600)) for colour in ("black", "#777", "red")]
    assert all(apart(one, other) <= 1 for one in flat for other in flat)


def test_real_photographs(shared: Path) -> None:
    files = sorted((shared / "data/flickr8k/images").glob("*.jpg"))
    photos = [Image.open(file).convert("RGB") for file in random.Random(0).sample(files, 120)]
    for name, change in CHANGES.items():
        found = grouped([*photos, *map(change, photos)])
        assert np.mean(found[:120] == found[120:]) >= 0.98, name
        assert len(set(found[:120])) == 120


def grouped(images: list[Image.Image]) -> npt.NDArray[np.int64]:
    looks = [make_preview(image, side=0) for image in images]
    hashes = np.array([one.phash for one in looks], np.int64).view(np.uint64)
    return groups(hashes, np.stack([np.frombuffer(one.waves, np.int8) for one in looks]))


def test_alike_at_a_glance_is_not_a_copy(tmp_path: Path) -> None:
    """A moon in the same corner of a dark picture is all that the hashes of these two see."""
    for seed in (410, 599):
        write(tmp_path, count=1, seed=seed)
    images = [Image.open(tmp_path / f"images/000{seed}.jpg").convert("RGB") for seed in (410, 599)]
    assert apart(*images) <= RADIUS
    assert len(set(grouped(images).tolist())) == 2


def test_shrinking_is_the_same_every_time() -> None:
    assert downscaled(textured(5), side=100).tobytes() == downscaled(textured(5), side=100).tobytes()
    assert make_preview(textured(5), side=100) == make_preview(textured(5), side=100)
