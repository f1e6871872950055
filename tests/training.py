"""What the tests of training share: a teller that only listens, and sources made on the spot."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from lexel.pipeline.items import Item
from lexel.pipeline.progress import QUIET
from lexel.pipeline.sources import Source
from lexel.pipeline.train import Teller
from lexel.pipeline.train.lesson import Lesson
from lexel.pipeline.train.loop import Figures


def listening(heard: Callable[[str, int, Figures], None] = lambda stage, epoch, figures: None) -> Teller:
    """A teller without bars that hands each epoch to `heard`."""
    return Teller(lambda what: nullcontext(QUIET), lambda stage, epoch, epochs, figures: heard(stage, epoch, figures))


def source(items: Iterable[Item]) -> Source:
    """A source of these items."""
    listed = list(items)
    return Source(Path("/pictures"), lambda: iter(listed), name="captions.jsonl")


def lesson(captions: Iterable[tuple[str, ...]], *, dim: int = 6, views: int = 1, seed: int = 0) -> Lesson:
    """Pictures with these captions and random features, each view's near the whole's."""
    said = list(captions)
    dice = np.random.default_rng(seed)
    whole = dice.normal(size=(len(said), dim))
    others = [whole + 0.1 * dice.normal(size=whole.shape) for _ in range(views - 1)]
    owner = np.repeat(np.arange(len(said)), [len(own) for own in said])
    texts = tuple(text for own in said for text in own)
    return Lesson(tuple(v.astype(np.float16) for v in (whole, *others)), texts, owner, (None,) * len(said))
