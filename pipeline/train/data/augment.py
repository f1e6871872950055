"""Augmentation: random crops and mirror images, against overfitting."""

import random
import zlib
from functools import partial

from PIL import Image, ImageOps

from lexel.pipeline.encode.prepare import View, whole


def view(number: int) -> View:
    """View `number` of an image: 0 is the whole, the others are crops of 40 to 100 % of it, half of them mirrored."""
    return partial(_crop, number=number) if number else whole


def _crop(image: Image.Image, *, number: int) -> Image.Image:
    # Seeded by the image's content, so that a resumed job makes the same views.
    dice = random.Random(zlib.crc32(image.tobytes()) + number)
    area, aspect = dice.uniform(0.4, 1), dice.uniform(0.8, 1.25)
    width = max(1, round(image.width * min(1, (area * aspect) ** 0.5)))
    height = max(1, round(image.height * min(1, (area / aspect) ** 0.5)))
    left, top = dice.randint(0, image.width - width), dice.randint(0, image.height - height)
    part = image.crop((left, top, left + width, top + height))
    return ImageOps.mirror(part) if dice.random() < 0.5 else part
