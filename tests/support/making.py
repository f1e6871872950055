"""What tests make on the spot: pictures, files of every kind, and a small encoder with random weights."""

import io
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lexel.encoders.encoder import Encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.backbones import ResidualBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.model import Model
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.cli.main import main

TERMS = ("dog", "cat", "snow", "red", "water", "boat", "tree", "man", "bike", "street", "ball", "grass")
FORMS = {term: term for term in TERMS} | {"dogs": "dog", "cats": "cat", "boats": "boat"}


def vocabulary() -> Vocabulary:
    """Twelve terms, three of them with a plural."""
    return Vocabulary(TERMS, FORMS, tuple(0.3 - 0.02 * i for i in range(len(TERMS))))


def random_encoder(folder: Path, *, seed: int = 0) -> Encoder:
    """A whole encoder with a 16-d vector and 24 features whose weights are random: the same ones for the same seed."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = ResidualConfig(widths=(8, 16), depths=(1, 1), feature_dim=24, side=32)
    image = ResidualBackbone(net=net, preprocess=Preprocess(32))
    text = BagText(BagConfig(tuple(sorted(FORMS)), width=12))
    model = Model(
        PairTower(image, text, dim=16), LexiconHead(features=24, terms=len(TERMS)), vocabulary(), keep=8, device="cpu"
    )
    return model.save(folder, name=f"random-{seed}")


def picture(seed: int = 0, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A smooth RGB picture with a different colour in each corner, so that a turn of it shows."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize(size, Image.Resampling.BILINEAR)


def saved(image: Image.Image, kind: str, options: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a picture file, `kind` as Pillow calls it ("JPEG", "PNG", ...)."""
    file = io.BytesIO()
    image.save(file, kind, **(options or {}))
    return file.getvalue()


def jpeg(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """The bytes of a JPEG file of `picture(seed, size)`."""
    return saved(picture(seed, size), "JPEG")


def photo_folder(folder: Path, *, count: int, size: tuple[int, int] = (64, 48)) -> Path:
    """A folder of `count` JPEG files, 000.jpg and on, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (folder / f"{i:03d}.jpg").write_bytes(jpeg(i, size))
    return folder


def partly_bad(folder: Path, *, count: int) -> Path:
    """A folder of pictures that take a while, four of them bad."""
    photo_folder(folder, count=count, size=(500, 400))
    for i in (3, 40, 41, count - 1):
        (folder / f"{i:03d}.jpg").write_bytes(b"bad")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder of shards by its name, hidden ones too, but for the ledger and its lock.

    The ledger trusts no file that was written a moment before it was read, so that it differs from run to run.
    """
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if "ledger" not in path.name}


def run_lexel(arguments: Sequence[str], said: Path) -> None:
    """The command line with these arguments, for a process of its own; what it says goes to the file `said`."""
    torch.set_num_threads(1)  # as in the tests' own process: the sums are then equal to the last bit
    # A test run in the background ignores Ctrl-C, and so would this process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(words, 1)
    os.dup2(words, 2)
    sys.argv = ["lexel", *arguments]
    main()
