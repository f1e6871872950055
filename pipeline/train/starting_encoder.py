"""What training starts from: an encoder, or two sides that have never been together."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from lexel.encoders import Encoder, Vocabulary, open_encoder
from lexel.encoders.encoder import read_encoder
from lexel.encoders.heads.head import LexiconHead
from lexel.encoders.model import Model, load_model
from lexel.encoders.pair import is_pair, open_image, open_text, split
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import DualTower, PairTower
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.training_options import TrainOptions


@dataclass(frozen=True)
class StartingEncoder:
    """`features` encodes pictures for training; `tower` is what the new encoder will have, trained or not yet.

    `image` names the image side where there is one by itself.
    """

    features: Encoder
    tower: PairTower | DualTower
    trained: bool
    image: str | None = None


def open_starting_encoder(ref: str, *, folder: Path, captions: Iterable[str], options: TrainOptions) -> StartingEncoder:
    """Open `ref`: the name or folder of an encoder, or IMAGE+TEXT (see `lexel.encoders.pair`), on the device chosen.

    The encoder of an untrained pair's features is kept in `folder`. Raises EncoderError where `ref` is neither.
    """
    if is_pair(ref):
        image, text = split(ref)
        features = _features_of(image, folder)
        # The image side as it was kept: an untrained one is another network each time that it is opened.
        seeing = load_model(features, device="cpu").tower
        assert isinstance(seeing, PairTower)
        dim = options.dim
        # The same command begins at the same random maps, or it could not go on as itself.
        torch.manual_seed(options.seed)
        spoken = open_text(text, words=_forms(captions), dim=dim)
        tower = PairTower(seeing.image, spoken, dim=dim, hidden=options.hidden)
        return StartingEncoder(
            features.for_features(), tower.eval().to(resolve_device(options.device)), trained=False, image=image
        )
    encoder = open_encoder(ref)
    if encoder.compiled:
        raise ConfigError(f"{ref} is compiled; train the encoder that it was made of, and compile what comes of it.")
    return StartingEncoder(encoder.for_features(), load_model(encoder, device=options.device).tower, trained=True)


def _features_of(image: str, folder: Path) -> Encoder:
    """An encoder for the sake of its image side alone: its text side knows one word, and so does its head."""
    place = folder / f"image-{hashlib.blake2b(image.encode(), digest_size=4).hexdigest()}"
    if (place / "lexel.json").exists():
        return read_encoder(place)
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
    return read_encoder(place)


def _forms(captions: Iterable[str]) -> list[str]:
    """The word forms that stand in more than one caption: what stands in one alone teaches nothing."""
    seen = Counter(form for caption in captions for form in set(words(caption)))
    return sorted(form for form, often in seen.items() if often > 1) or sorted(seen)
