"""Towers: images and texts to unit vectors in one space."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.backbones import Backbone, backbone
from lexel.encoders.image.hf_processor import ImageProcessor
from lexel.encoders.image.preprocess import Picture
from lexel.encoders.image.regions import RegionBackbone
from lexel.encoders.layers import make_linear
from lexel.encoders.runtime.hf_checkpoints import (
    BROKEN,
    first_line,
    longest_text,
    network,
    quiet,
    tokenizer,
    words_read,
)
from lexel.encoders.text.text_models import TextModel, text_model


class Tower(Protocol):
    """An image side and a text side, as `Model` uses them."""

    @property
    def dim(self) -> int:
        """The dimension of a vector."""

    @property
    def feature_dim(self) -> int | None:
        """The dimension F of the head's input, or None if that is the vector itself."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to [3, H, W], uint8 or float32, the same shape for all images; must be thread-safe."""

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, 3, H, W] to features [B, F] and unit vectors [B, dim]."""

    def image_vectors(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] from `images` to unit vectors [B, dim]."""

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""

    def heard(self, text: str) -> int:
        """How many of the text's words, as spaces part them, it reads; the rest of a long text is ignored."""

    def config(self) -> dict[str, Any]:
        """The JSON table from which `tower` builds it again."""

    def save(self, folder: Path) -> None:
        """Write the files that are not part of lexel.safetensors."""


class DualTower(nn.Module):
    """A `transformers` dual encoder (CLIP, SigLIP, any model with `get_image_features` and `get_text_features`).

    `checkpoint` is a folder. Its own image processor and tokenizer are used, so vectors equal those of `transformers`.
    Raises EncoderError if it does not encode both images and texts into one space.
    """

    def __init__(self, checkpoint: Path) -> None:
        super().__init__()
        self.net = network(checkpoint)
        kind = type(self.net).__name__
        if not (hasattr(self.net, "get_image_features") and hasattr(self.net, "get_text_features")):
            raise EncoderError(f"{checkpoint} holds a {kind}, which does not encode both pictures and texts.")
        self.processor, self.tokenizer = ImageProcessor(checkpoint), tokenizer(checkpoint)
        self.pixels = self.processor.pixels
        self.feature_dim = None
        self._longest = longest_text(self.tokenizer, self.net, at_most=512)
        try:
            with torch.inference_mode():
                images, texts = self.images(self.pixels(Image.new("RGB", (64, 64)))[None])[1], self.texts(["a word"])
        except BROKEN as error:
            raise EncoderError(f"{checkpoint} holds a {kind} that cannot be used: {first_line(error)}") from error
        if images.dim() != 2 or images.shape != texts.shape:
            raise EncoderError(
                f"{checkpoint} holds a {kind}, which gives no single vector of one length for both sides."
            )
        self.dim = int(images.shape[1])

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels of B images to (features, vectors), both the unit vectors [B, dim]."""
        features = self.net.get_image_features(**self.processor.inputs(pixels))
        vectors = normalize(_pooled(features).float(), dim=1)
        return vectors, vectors

    def image_vectors(self, features: torch.Tensor) -> torch.Tensor:
        """Returns `features`, which are the vectors already."""
        return features

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""
        # SigLIP was trained on texts padded to full length, without an attention mask; the others mask the padding.
        padding = "max_length" if self.net.config.model_type.startswith("siglip") else True
        inputs = self.tokenizer(
            list(texts), padding=padding, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self.net.device)
        return normalize(_pooled(self.net.get_text_features(**inputs)).float(), dim=1)

    def heard(self, text: str) -> int:
        """How many words are within the longest text that the network reads."""
        return words_read(self.tokenizer, text, longest=self._longest)

    def config(self) -> dict[str, Any]:
        """The folder of the checkpoint; the rest is in the checkpoint's own files."""
        return {"kind": "dual", "checkpoint": "dual"}

    def save(self, folder: Path) -> None:
        """Write the checkpoint to `folder`/dual."""
        with quiet():
            self.net.save_pretrained(folder / "dual")
            self.tokenizer.save_pretrained(folder / "dual")
        self.processor.save(folder / "dual")


class PairTower(nn.Module):
    """An image backbone and a text model, each with a trained projection into one space.

    Each projection is linear, plus a residual MLP of `hidden` units if that is not 0.
    """

    def __init__(self, image: Backbone, text: TextModel, *, dim: int, hidden: int = 0) -> None:
        super().__init__()
        self.hidden = hidden
        self.image, self.text, self.dim, self.feature_dim = image, text, dim, image.dim
        width = image.width if isinstance(image, RegionBackbone) else image.dim
        self.image_projection = make_linear(width, dim, hidden=hidden)
        self.text_projection = make_linear(text.dim, dim, hidden=hidden)
        self.pixels = image.pixels

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels [B, 3, H, W] to the backbone's features [B, F] and unit vectors [B, dim]."""
        features = self.image(pixels).float()
        return features, self.image_vectors(features)

    def image_vectors(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to unit vectors [B, dim]."""
        return normalize(self.image_projection(self.summary(features)), dim=1)

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F] to the projection's input: unchanged, or pooled over regions for a RegionBackbone."""
        return self.image.summary(features) if isinstance(self.image, RegionBackbone) else features

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""
        return normalize(self.text_projection(self.text(texts).float()), dim=1)

    def heard(self, text: str) -> int:
        """How many words the text model reads."""
        return self.text.heard(text)

    def config(self) -> dict[str, Any]:
        """The two sides' tables, the vector's dimension and the number of hidden units."""
        sides = {"image": self.image.config(), "text": self.text.config()}
        return {"kind": "pair", "dim": self.dim, "hidden": self.hidden, **sides}

    def save(self, folder: Path) -> None:
        """Write both sides' own files."""
        self.image.save(folder)
        self.text.save(folder)


def tower(config: Mapping[str, Any], folder: Path) -> "DualTower | PairTower":
    """Build a tower from its `config` table and its files in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "dual", "checkpoint": checkpoint}:
            return DualTower(folder / checkpoint)
        case {"kind": "pair", "dim": dim, "image": image, "text": text}:
            # Encoders of the first version have no "hidden" key and no hidden units.
            hidden = config.get("hidden", 0)
            return PairTower(backbone(image, folder), text_model(text, folder), dim=dim, hidden=hidden)
    raise EncoderError(f"This lexel does not know the tower {config.get('kind')!r}; the encoder may need a newer one.")


def _pooled(output: Any) -> torch.Tensor:
    """`transformers` returns a tensor or an output object, depending on model and version."""
    features: torch.Tensor = output if isinstance(output, torch.Tensor) else output.pooler_output
    return features
