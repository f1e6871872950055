"""What training starts from: an image side and a text side, written `IMAGE+TEXT`.

IMAGE  a folder or hub name of a `transformers` vision model
TEXT   a folder or hub name of a `transformers` text model; `gru`, learned from nothing but the captions
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from lexel.encoders.backbones import Backbone, TransformersBackbone
from lexel.encoders.errors import EncoderError
from lexel.encoders.gru import GruConfig, GruText
from lexel.encoders.texts import TextModel, TransformersText
from lexel.encoders.towers import PairTower

_HUB_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)?")


def is_pair(ref: str) -> bool:
    """Whether `ref` names an image side and a text side, rather than a whole encoder."""
    return "+" in ref and not Path(os.path.expanduser(ref)).exists()


def open_pair(ref: str, *, words: Sequence[str] = (), dim: int = 512) -> PairTower:
    """The two sides of `ref`, projected to vectors of length `dim` by maps that are still random.

    A text side that is learned from nothing reads `words`, lower-case forms as `vocabulary.words` finds them. Raises
    EncoderError where a side is not to be had.
    """
    image, text = split(ref)
    return PairTower(_image(image), _text(text, words), dim=dim)


def split(ref: str) -> tuple[str, str]:
    """The image side and the text side of `ref`. A path may hold a "+" too: both sides must make sense."""
    cuts = [(ref[:i], ref[i + 1 :]) for i, letter in enumerate(ref) if letter == "+"][::-1]
    if not cuts or not all(cuts[0]):
        raise EncoderError(f"{ref!r} is no IMAGE+TEXT pair; give e.g. google/mobilenet_v2_1.0_224+gru.")
    return next((cut for cut in cuts if all(map(_sensible, cut))), cuts[0])


def _sensible(side: str) -> bool:
    return bool(_HUB_NAME.fullmatch(side)) or Path(os.path.expanduser(side)).exists()


def _image(side: str) -> Backbone:
    return TransformersBackbone(os.path.expanduser(side))


def _text(side: str, words: Sequence[str]) -> TextModel:
    if side == "gru":
        if not words:
            raise EncoderError("A GRU learns the words of captions; give it captions that hold some.")
        return GruText(GruConfig(tuple(dict.fromkeys(words))))
    return TransformersText(os.path.expanduser(side))
