"""What training starts from: an encoder, or two sides that have never been together."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lexel.encoders import Encoder, Vocabulary, open_encoder
from lexel.encoders.bag import BagConfig
from lexel.encoders.bases import is_pair, open_image, open_pair, split
from lexel.encoders.encoder import read
from lexel.encoders.errors import EncoderError
from lexel.encoders.heads import LexiconHead
from lexel.encoders.model import Model
from lexel.encoders.texts import BagText
from lexel.encoders.towers import DualTower, PairTower
from lexel.encoders.vocabulary import words


@dataclass(frozen=True)
class Base:
    """`features` encodes pictures for training; `tower` is what the new encoder will have, trained or not yet.

    `image` names the image side where there is one by itself.
    """

    features: Encoder
    tower: PairTower | DualTower
    trained: bool
    image: str | None = None


def open_base(ref: str, *, folder: Path, captions: Iterable[str], dim: int, device: str) -> Base:
    """Open `ref`: the name or folder of an encoder, or IMAGE+TEXT (see `lexel.encoders.bases`).

    The encoder of an untrained pair's features is kept in `folder`. Raises EncoderError where `ref` is neither.
    """
    if is_pair(ref):
        image = split(ref)[0]
        tower = open_pair(ref, words=_forms(captions), dim=dim)
        return Base(_features_of(image, folder), tower, trained=False, image=image)
    encoder = open_encoder(ref)
    return Base(encoder, encoder.load(device=device).tower, trained=True)


def _features_of(image: str, folder: Path) -> Encoder:
    """An encoder for the sake of its image side alone: its text side knows one word, and so does its head."""
    place = folder / f"image-{hashlib.blake2b(image.encode(), digest_size=4).hexdigest()}"
    if (place / "lexel.json").exists():
        try:
            return read(place)
        except EncoderError:  # a killed run left half of it
            pass
    tower = PairTower(open_image(image), BagText(BagConfig(("picture",), width=1)), dim=1)
    head = LexiconHead(features=tower.image.dim, terms=1)
    for weights in head.logits.parameters():
        weights.data.zero_()
    vocabulary = Vocabulary(("picture",), {"picture": "picture"}, (0.5,))
    return Model(tower, head, vocabulary, keep=1, device="cpu").save(place, name=image.rstrip("/").rsplit("/", 1)[-1])


def _forms(captions: Iterable[str]) -> list[str]:
    """The word forms that stand in more than one caption: what stands in one alone teaches nothing."""
    seen = Counter(form for caption in captions for form in set(words(caption)))
    return sorted(form for form, often in seen.items() if often > 1) or sorted(seen)
