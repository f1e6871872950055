"""Towers: a picture or a text to one unit vector, the two in the same space."""

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
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line, longest_text, network, quiet, tokenizer
from lexel.encoders.text.text_models import TextModel, text_model


class Tower(Protocol):
    """What an encoder asks of its towers."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def feature_dim(self) -> int | None:
        """The length F of the head's input, or None where that is the vector itself."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB picture to [3, H, W], bytes or numbers, of one shape for all pictures; called on worker threads."""

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, 3, H, W] to features [B, F] and unit vectors [B, dim]."""

    def image_vectors(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, F], as `images` made them, to unit vectors [B, dim]."""

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""

    def config(self) -> dict[str, Any]:
        """What `tower` needs to build it again."""

    def save(self, folder: Path) -> None:
        """Write what does not belong in the encoder's own weights file."""


class DualTower(nn.Module):
    """A `transformers` dual encoder (CLIP, SigLIP, any model with `get_image_features` and `get_text_features`).

    `checkpoint` is a folder. Pictures and texts go through the checkpoint's own processors, so vectors are those of
    `transformers` itself. Raises EncoderError where the checkpoint does not encode both into one space.
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
        """What `pixels` made of B pictures to unit vectors [B, dim], twice: they are the features too."""
        features = self.net.get_image_features(**self.processor.inputs(pixels))
        vectors = normalize(_pooled(features).float(), dim=1)
        return vectors, vectors

    def image_vectors(self, features: torch.Tensor) -> torch.Tensor:
        """They are the vectors already."""
        return features

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""
        # SigLIP was trained on texts padded to their full length and sees the padding; the others mask it.
        padding = "max_length" if self.net.config.model_type.startswith("siglip") else True
        inputs = self.tokenizer(
            list(texts), padding=padding, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self.net.device)
        return normalize(_pooled(self.net.get_text_features(**inputs)).float(), dim=1)

    def config(self) -> dict[str, Any]:
        """Where `save` puts the checkpoint; its own files say the rest."""
        return {"kind": "dual", "checkpoint": "dual"}

    def save(self, folder: Path) -> None:
        """Write the checkpoint to `folder`/dual."""
        with quiet():
            self.net.save_pretrained(folder / "dual")
            self.tokenizer.save_pretrained(folder / "dual")
        self.processor.save(folder / "dual")


class PairTower(nn.Module):
    """An image backbone and a text model, each brought into one space by a trained projection.

    Each is linear with `hidden` units beside it, 0 for none.
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
        """Features [B, F] to what the projection reads: themselves, or one row for all regions of a picture."""
        return self.image.summary(features) if isinstance(self.image, RegionBackbone) else features

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""
        return normalize(self.text_projection(self.text(texts).float()), dim=1)

    def config(self) -> dict[str, Any]:
        """The two sides and the length of a vector."""
        sides = {"image": self.image.config(), "text": self.text.config()}
        return {"kind": "pair", "dim": self.dim, "hidden": self.hidden, **sides}

    def save(self, folder: Path) -> None:
        """Write both sides' own files."""
        self.image.save(folder)
        self.text.save(folder)


def tower(config: Mapping[str, Any], folder: Path) -> "DualTower | PairTower":
    """Build what `Tower.config` described, its own files in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "dual", "checkpoint": checkpoint}:
            return DualTower(folder / checkpoint)
        case {"kind": "pair", "dim": dim, "image": image, "text": text}:
            # The first encoders did not write down that nothing was hidden.
            hidden = config.get("hidden", 0)
            return PairTower(backbone(image, folder), text_model(text, folder), dim=dim, hidden=hidden)
    raise EncoderError(f"This lexel does not know the tower {config.get('kind')!r}; the encoder may need a newer one.")


def _pooled(output: Any) -> torch.Tensor:
    """`transformers` answers with a bare tensor or with an output object, by model and version."""
    features: torch.Tensor = output if isinstance(output, torch.Tensor) else output.pooler_output
    return features
