"""What is encoded: photographs where there are some, else drawn scenes."""

from collections.abc import Sequence
from pathlib import Path

from support.checkout import SHARED

from lexel.pipeline.scenes import draw, scene

_PHOTOS = SHARED / "data/photos"


def pictures(folder: Path, *, quick: bool) -> tuple[list[Path], str]:
    """Different picture files of about 640 x 480 pixels, and what they are."""
    if not quick and (photos := sorted(_PHOTOS.rglob("*.jpg"))):
        return photos, f"{len(photos)} photographs of 640 x 480"
    drawn = [folder / f"{seed}.jpg" for seed in range(6 if quick else 48)]
    for seed, path in enumerate(drawn):
        draw(scene(seed), size=(640, 480)).save(path, quality=90)
    return drawn, f"{len(drawn)} drawn scenes of 640 x 480 (photographs take longer to decode)"


def many(files: Sequence[Path], folder: Path, count: int) -> Path:
    """A folder of `count` pictures, links to these in turn."""
    folder.mkdir()
    for i in range(count):
        (folder / f"{i:06d}.jpg").symlink_to(files[i % len(files)].resolve())
    return folder
