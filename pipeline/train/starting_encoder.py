"""What training starts from: an encoder, or an untrained pair IMAGE+TEXT."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from lexel.encoders import Encoder, Vocabulary, open_encoder
from lexel.encoders.encoder import read_encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.model import Model, load_model
from lexel.encoders.pair import is_pair, open_image, open_text, split
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import DualTower, PairTower
from lexel.encoders.vocabulary.near_words import NearWords
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.training_options import TrainOptions


@dataclass(frozen=True)
class StartingEncoder:
    """`features` is the encoder of the image features; `tower` becomes the new encoder's, and may be `trained` already.

    `image` is the name of the image side of an untrained pair. `words` are those to train further, None if they are to
    be made of the captions.
    """

    features: Encoder
    tower: PairTower | DualTower
    trained: bool
    image: str | None = None
    words: "KnownWords | None" = None


@dataclass(frozen=True)
class KnownWords:
    """The starting encoder's vocabulary, its head for raw features, how `likely` [2, V] terms are to be said, and the
    words that it has none for, with the nearest.
    """

    vocabulary: Vocabulary
    head: LexiconHead
    likely: npt.NDArray[np.float32] | None = None
    near: NearWords = field(default_factory=NearWords)

    def likely_of(self, vocabulary: Vocabulary) -> npt.NDArray[np.float32] | None:
        """The same for a `vocabulary` with further terms, which are as likely to be said as the middle one."""
        if self.likely is None:
            return None
        more = len(vocabulary) - len(self.vocabulary)
        return np.hstack([self.likely, np.median(self.likely, axis=1, keepdims=True).repeat(more, axis=1)])


def open_starting_encoder(ref: str, *, folder: Path, captions: Iterable[str], options: TrainOptions) -> StartingEncoder:
    """Open `ref`, the name or folder of an encoder or IMAGE+TEXT (see `lexel.encoders.pair`), on the options' device.

    The image side of an untrained pair is stored as an encoder in `folder`. Raises EncoderError if `ref` is neither,
    ConfigError if it is compiled.
    """
    if is_pair(ref):
        image, text = split(ref)
        features = _features_of(image, folder)
        # The stored image side: an untrained network is initialised differently each time it is opened.
        stored = load_model(features, device="cpu").tower
        assert isinstance(stored, PairTower)
        dim = options.dim
        # The same initialisation each time, so that an interrupted training can be resumed.
        torch.manual_seed(options.seed)
        text_side = open_text(text, words=_forms(captions), dim=dim)
        tower = PairTower(stored.image, text_side, dim=dim, hidden=options.hidden)
        return StartingEncoder(
            features.for_features(), tower.eval().to(resolve_device(options.device)), trained=False, image=image
        )
    encoder = open_encoder(ref)
    if encoder.compiled:
        raise ConfigError(f"{ref} is compiled; train the encoder that it was made of, and compile what comes of it.")
    model = load_model(encoder, device=options.device)
    known = _known_words(encoder, model, options)
    return StartingEncoder(encoder.for_features(), model.tower, trained=True, words=known)


def _known_words(encoder: Encoder, model: Model, options: TrainOptions) -> KnownWords | None:
    """The words to train further, or None. Raises ConfigError if they cannot be, but `options` say so."""
    head, chosen = model.head, bool(options.aliases or options.banned or options.size)
    if options.words == "keep" and (options.head != "lexicon" or not isinstance(head, LexiconHead)):
        raise ConfigError(
            f"Only a head lexicon is trained further, and {encoder.ref} or --head is another; give --words new."
        )
    if options.words == "keep" and chosen:
        raise ConfigError(
            "Words that are kept cannot be chosen anew; give --words new with --aliases, --ban or --size."
        )
    if not isinstance(head, LexiconHead) or options.head != "lexicon" or options.words == "new":
        return None
    wanted = options.words == "keep" or (model.likely is not None and not chosen)
    return KnownWords(model.vocabulary, head, model.likely, encoder.near_words) if wanted else None


def _features_of(image: str, folder: Path) -> Encoder:
    """An encoder used for its image features only; its text side and head have one dummy word."""
    place = folder / f"image-{hashlib.blake2b(image.encode(), digest_size=4).hexdigest()}"
    if (place / "lexel.json").exists():
        return read_encoder(place)
    tower = PairTower(open_image(image), BagText(BagConfig(("picture",), width=1)), dim=1)
    head = LexiconHead(features=tower.image.dim, terms=1)
    for weights in head.logits.parameters():
        weights.data.zero_()
    vocabulary = Vocabulary(("picture",), {"picture": "picture"}, (0.5,))
    # Renamed when it is complete, so that a killed run leaves no incomplete one.
    temporary = place.with_name(f".{place.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    Model(tower, head, vocabulary, keep=1, device="cpu").save(temporary, name=image.rstrip("/").rsplit("/", 1)[-1])
    temporary.replace(place)
    return read_encoder(place)


def _forms(captions: Iterable[str]) -> list[str]:
    """The word forms that occur in more than one caption, or all if there are none."""
    seen = Counter(form for caption in captions for form in set(words(caption)))
    return sorted(form for form, often in seen.items() if often > 1) or sorted(seen)
