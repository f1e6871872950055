"""A head that turns an image classifier's labels into terms, without training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.backbones import TorchvisionBackbone, TransformersBackbone
from lexel.encoders.pair import open_image
from lexel.encoders.runtime.hf_checkpoints import classifier
from lexel.encoders.vocabulary.vocabulary import Vocabulary


class LabelsHead(nn.Module):
    """A classifier's probabilities as weights on the words of its labels.

    A term's probability is the sum of the softmax over the labels that contain it ("tabby, tabby cat": tabby and cat).
    The weight is relu(log(probability / share)), where `share` is the share of labels that contain the term, so a
    uniform softmax gives 0. This is the positive pointwise mutual information of image and word (Church and Hanks,
    Computational Linguistics 1990, with natural logarithms).
    """

    def __init__(self, *, features: int, labels: int, terms: int, pairs: int) -> None:
        super().__init__()
        self.logits = nn.Linear(features, labels)
        self.terms = terms
        # The pairs of a label and a term that it contains, as two lists of indices.
        self.label: torch.Tensor
        self.term: torch.Tensor
        self.register_buffer("label", torch.zeros(pairs, dtype=torch.int64))
        self.register_buffer("term", torch.zeros(pairs, dtype=torch.int64))

    @classmethod
    def of(cls, image: str | Path, vocabulary: Vocabulary) -> "LabelsHead":
        """The head for the classifier `image`: a `transformers` checkpoint, or torchvision:NAME:WEIGHTS.

        Raises EncoderError if that is no classifier, or no label contains a term of the vocabulary.
        """
        layer, texts = _last_layer(str(image))
        pairs = [(i, vocabulary.index[t]) for i, text in enumerate(texts) for t in vocabulary.count(text)]
        if not pairs:
            raise EncoderError(f"No label of {image} holds a word of the vocabulary; build one from its labels.")
        built = cls(features=layer.in_features, labels=len(texts), terms=len(vocabulary), pairs=len(pairs))
        built.logits.load_state_dict(layer.state_dict())
        built.label, built.term = torch.tensor(pairs).T.contiguous()
        return built

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to weights [B, V]."""
        chances = self.logits(features).softmax(1)
        chance = chances.new_zeros(len(features), self.terms).index_add_(1, self.term, chances[:, self.label])
        held = chances.new_zeros(self.terms).index_add_(0, self.term, torch.ones_like(chances[0, self.label]))
        share = held / chances.shape[1]
        # Terms in no label would give 0 / 0.
        weights: torch.Tensor = (chance.clamp(min=1e-12) / share.clamp(min=1e-9)).log().relu() * (held > 0)
        return weights

    def config(self) -> dict[str, Any]:
        """The sizes of the classifier's layer and of the table of labels and terms."""
        shape = {"features": self.logits.in_features, "labels": self.logits.out_features}
        return {"kind": "labels", **shape, "terms": self.terms, "pairs": len(self.term)}


def label_texts(image: str | Path) -> list[str]:
    """The text of each label of the classifier `image`. Raises EncoderError if it is none."""
    return _last_layer(str(image))[1]


def label_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """A vocabulary of the labels' words and their plurals, for an encoder without captions."""
    from simplemma import lemmatize  # as in Vocabulary: its tables are large

    known = Vocabulary.from_captions(texts, min_count=1)
    # Labels are in the singular; people also type "dogs" and "foxes".
    guesses = {guess: term for term in known.terms for guess in (f"{term}s", f"{term}es", f"{term[:-1]}ies")}
    plurals = {guess: term for guess, term in guesses.items() if lemmatize(guess, lang="en") == term}
    return Vocabulary(known.terms, {**plurals, **known.forms}, known.document_frequency)


def _last_layer(image: str) -> tuple[nn.Linear, list[str]]:
    """The classifier's last layer, from the backbone's features to labels, and the labels' texts."""
    backbone = open_image(image)
    if not isinstance(backbone, TransformersBackbone | TorchvisionBackbone):
        raise EncoderError(f"{image} finds regions and has no labels of pictures; give an image classifier.")
    net, texts = classifier(backbone.folder) if isinstance(backbone, TransformersBackbone) else _torchvision(backbone)
    layers = [part for part in net.modules() if isinstance(part, nn.Linear) and part.out_features == len(texts)]
    if not layers or not _reads_features(layers[-1], net, backbone):
        raise EncoderError(f"{image} makes its labels of other features than lexel reads; give another classifier.")
    return layers[-1], [text.replace("_", " ") for text in texts]


def _torchvision(backbone: TorchvisionBackbone) -> tuple[Any, list[str]]:
    """The whole classifier that `backbone` is a part of, and its labels."""
    from torchvision import models

    known = models.get_model_weights(backbone.name)[backbone.weights or "DEFAULT"]
    net = models.get_model(backbone.name, weights=backbone.weights).eval()
    net.load_state_dict(backbone.net.state_dict(), strict=False)  # an untrained one is initialised anew each time
    return net, list(known.meta["categories"])


def _reads_features(layer: nn.Linear, net: Any, backbone: TransformersBackbone | TorchvisionBackbone) -> bool:
    """Whether `layer` on the backbone's features gives the same logits as the whole network."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pixels = backbone.pixels(Image.fromarray(noise))[None]
    with torch.inference_mode():
        features = backbone(pixels)
        whole = _logits(net, backbone, pixels)
        fits = features.shape[1] == layer.in_features
        return fits and bool(torch.allclose(layer(features), whole, rtol=1e-3, atol=1e-3))


def _logits(net: Any, backbone: TransformersBackbone | TorchvisionBackbone, pixels: torch.Tensor) -> Any:
    if isinstance(backbone, TorchvisionBackbone):
        return net(backbone.prepare.normalised(pixels))
    return net(**backbone.processor.inputs(pixels)).logits
