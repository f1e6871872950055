"""Towers: a picture or a text to one unit vector, the two in the same space."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders.backbones import Backbone, backbone
from lexel.encoders.errors import EncoderError
from lexel.encoders.texts import TextModel, text_model


class Tower(Protocol):
    """What an encoder asks of its towers. `feature_dim` is None where the features are the vector itself."""

    dim: int
    feature_dim: int | None

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """One RGB picture to float32 [3, H, W]; called on worker threads."""

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, 3, H, W] to features [B, F] and unit vectors [B, dim]."""

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to unit vectors [B, dim]."""

    def config(self) -> dict[str, Any]:
        """What `tower` needs to build it again."""

    def save(self, folder: Path) -> None:
        """Write what does not belong in the encoder's own weights file."""


class DualTower(nn.Module):
    """A `transformers` dual encoder (CLIP, SigLIP, any model with `get_image_features` and `get_text_features`).

    `checkpoint` is a folder. Pictures go through the checkpoint's own processor, so vectors are those of `transformers` itself.
    """

    feature_dim = None

    def __init__(self, checkpoint: Path) -> None:
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        super().__init__()
        self.net = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
        if not (hasattr(self.net, "get_image_features") and hasattr(self.net, "get_text_features")):
            raise EncoderError(
                f"{checkpoint} holds a {type(self.net).__name__}, which does not encode both pictures and texts."
            )
        self.processor = AutoImageProcessor.from_pretrained(checkpoint)
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        with torch.inference_mode():
            self.dim = int(self.images(self.pixels(Image.new("RGB", (64, 64)))[None])[1].shape[1])

    def pixels(self, image: Image.Image) -> torch.Tensor:
        pixels: torch.Tensor = self.processor(images=image, return_tensors="pt")["pixel_values"][0]
        return pixels

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = normalize(_pooled(self.net.get_image_features(pixel_values=pixels)).float(), dim=1)
        return vectors, vectors

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        # SigLIP was trained on texts padded to their full length and sees the padding; the others mask it.
        padding = "max_length" if self.net.config.model_type.startswith("siglip") else True
        inputs = self.tokenizer(list(texts), padding=padding, truncation=True, return_tensors="pt").to(self.net.device)
        return normalize(_pooled(self.net.get_text_features(**inputs)).float(), dim=1)

    def config(self) -> dict[str, Any]:
        return {"kind": "dual", "checkpoint": "dual"}

    def save(self, folder: Path) -> None:
        for part in (self.net, self.processor, self.tokenizer):
            part.save_pretrained(folder / "dual")


class PairTower(nn.Module):
    """An image backbone and a text model, each brought into one space of `dim` dimensions by a trained linear projection."""

    def __init__(self, image: Backbone, text: TextModel, *, dim: int) -> None:
        super().__init__()
        self.image, self.text, self.dim, self.feature_dim = image, text, dim, image.dim
        self.image_projection = nn.Linear(image.dim, dim)
        self.text_projection = nn.Linear(text.dim, dim)
        self.pixels = image.pixels

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.image(pixels).float()
        return features, normalize(self.image_projection(features), dim=1)

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        return normalize(self.text_projection(self.text(texts).float()), dim=1)

    def config(self) -> dict[str, Any]:
        return {"kind": "pair", "dim": self.dim, "image": self.image.config(), "text": self.text.config()}

    def save(self, folder: Path) -> None:
        self.image.save(folder)
        self.text.save(folder)


def tower(config: Mapping[str, Any], folder: Path) -> "DualTower | PairTower":
    """Build what `Tower.config` described; its own files are in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "dual", "checkpoint": checkpoint}:
            return DualTower(folder / checkpoint)
        case {"kind": "pair", "dim": dim, "image": image, "text": text}:
            return PairTower(backbone(image, folder), text_model(text, folder), dim=dim)
    raise EncoderError(f"This lexel does not know the tower {config.get('kind')!r}; the encoder may need a newer one.")


def _pooled(output: Any) -> torch.Tensor:
    """`transformers` answers with a bare tensor or with an output object, by model and version."""
    features: torch.Tensor = output if isinstance(output, torch.Tensor) else output.pooler_output
    return features
