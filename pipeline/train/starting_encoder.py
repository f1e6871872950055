"""What training starts from: an encoder, or two sides that have never been together."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from lexel.encoders import Encoder, Vocabulary, open_encoder
from lexel.encoders.encoder import read
from lexel.encoders.heads.head import LexiconHead
from lexel.encoders.model import Model, load
from lexel.encoders.pair import is_pair, open_image, open_text, split
from lexel.encoders.runtime.device import chosen
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import DualTower, PairTower
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.training_options import Options


class Eye(Encoder):
    """An encoder for the sake of its features: any other one that makes the same goes on with its shards."""

    @cached_property
    def fingerprint(self) -> str:
        """That of the features, which is all that training reads."""
        return self.features_id

    def load(self, *, device: str = "auto") -> Model:
        """Load the networks, to compute roughly: training blurs what it reads far more."""
        return load(self, device=device, rough=True)

    @classmethod
    def of(cls, encoder: Encoder) -> "Eye":
        """The eye of `encoder`."""
        return cls(encoder.ref, encoder.folder, encoder.config, encoder.vocabulary)


@dataclass(frozen=True)
class Base:
    """`features` encodes pictures for training; `tower` is what the new encoder will have, trained or not yet.

    `image` names the image side where there is one by itself.
    """

    features: Encoder
    tower: PairTower | DualTower
    trained: bool
    image: str | None = None


def open_base(ref: str, *, folder: Path, captions: Iterable[str], options: Options) -> Base:
    """Open `ref`: the name or folder of an encoder, or IMAGE+TEXT (see `lexel.encoders.pair`), on the device chosen.

    The encoder of an untrained pair's features is kept in `folder`. Raises EncoderError where `ref` is neither.
    """
    if is_pair(ref):
        image, text = split(ref)
        features = _features_of(image, folder)
        # The image side as it was kept: an untrained one is another network each time that it is opened.
        seeing = features.load(device="cpu").tower
        assert isinstance(seeing, PairTower)
        dim = options.dim
        # The same command begins at the same random maps, or it could not go on as itself.
        torch.manual_seed(options.seed)
        spoken = open_text(text, words=_forms(captions), dim=dim)
        tower = PairTower(seeing.image, spoken, dim=dim, hidden=options.hidden)
        return Base(Eye.of(features), tower.eval().to(chosen(options.device)), trained=False, image=image)
    encoder = open_encoder(ref)
    if encoder.compiled:
        raise ConfigError(f"{ref} is compiled; train the encoder that it was made of, and compile what comes of it.")
    return Base(Eye.of(encoder), encoder.load(device=options.device).tower, trained=True)


def _features_of(image: str, folder: Path) -> Encoder:
    """An encoder for the sake of its image side alone: its text side knows one word, and so does its head."""
    place = folder / f"image-{hashlib.blake2b(image.encode(), digest_size=4).hexdigest()}"
    if (place / "lexel.json").exists():
        return read(place)
    tower = PairTower(open_image(image), BagText(BagConfig(("picture",), width=1)), dim=1)
    head = LexiconHead(features=tower.image.dim, terms=1)
    for weights in head.logits.parameters():
        weights.data.zero_()
    vocabulary = Vocabulary(("picture",), {"picture": "picture"}, (0.5,))
    # Under its name only when it is whole: a killed run would leave half of it.
    temporary = place.with_name(f".{place.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    Model(tower, head, vocabulary, keep=1, device="cpu").save(temporary, name=image.rstrip("/").rsplit("/", 1)[-1])
    temporary.replace(place)
    return read(place)


def _forms(captions: Iterable[str]) -> list[str]:
    """The word forms that stand in more than one caption: what stands in one alone teaches nothing."""
    seen = Counter(form for caption in captions for form in set(words(caption)))
    return sorted(form for form, often in seen.items() if often > 1) or sorted(seen)
