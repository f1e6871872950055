"""Image backbones: pixels -> pooled features. A picture is turned into pixels on worker threads, features are made in batches."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import nn

from lexel.encoders.errors import EncoderError
from lexel.encoders.pixels import Preprocess
from lexel.encoders.residual import ResidualConfig, ResidualNet


class Backbone(Protocol):
    """What a pair tower asks of its image side."""

    dim: int

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """One RGB picture to float32 [3, H, W]."""

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, H, W] to pooled features [B, dim]."""

    def config(self) -> dict[str, Any]:
        """What `backbone` needs to build it again."""

    def save(self, folder: Path) -> None:
        """Write what does not belong in the encoder's own weights file."""


class ResidualBackbone(nn.Module):
    """The project's own small convolutional network (`lexel-tiny`)."""

    def __init__(self, *, net: ResidualConfig, preprocess: Preprocess) -> None:
        super().__init__()
        self.net, self.pixels, self.dim = ResidualNet(net), preprocess, net.feature_dim
        self._config = {"kind": "residual", "net": asdict(net), "preprocess": asdict(preprocess)}

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.net(pixels)
        return features

    def config(self) -> dict[str, Any]:
        return self._config

    def save(self, folder: Path) -> None:
        """Nothing beside the weights."""


class TransformersBackbone(nn.Module):
    """A `transformers` vision model with a pooled output, with its own processor; `checkpoint` is a folder or a hub name."""

    def __init__(self, checkpoint: str | Path) -> None:
        from transformers import AutoImageProcessor, AutoModel

        super().__init__()
        self.processor = AutoImageProcessor.from_pretrained(checkpoint)
        self.net = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
        with torch.inference_mode():
            self.dim = int(self(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1])

    def pixels(self, image: Image.Image) -> torch.Tensor:
        pixels: torch.Tensor = self.processor(images=image, return_tensors="pt")["pixel_values"][0]
        return pixels

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.net(pixel_values=pixels).pooler_output
        return pooled.flatten(1)

    def config(self) -> dict[str, Any]:
        return {"kind": "transformers"}

    def save(self, folder: Path) -> None:
        self.net.save_pretrained(folder / "image")
        self.processor.save_pretrained(folder / "image")


class TorchvisionBackbone(nn.Module):
    """A `torchvision` classifier by name, without its last layer; `weights` is a torchvision weights name, or None for an untrained net."""

    def __init__(self, name: str, *, weights: str | None = None, preprocess: Preprocess | None = None) -> None:
        from torchvision import models
        from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

        super().__init__()
        if name not in models.list_models(module=models):
            raise EncoderError(
                f"torchvision has no model named {name!r}; `torchvision.models.list_models()` names them."
            )
        net = models.get_model(name, weights=weights).eval()
        last_flat = get_graph_node_names(net)[1]
        node = next(n for n in reversed(last_flat) if not n.startswith(("fc", "classifier", "heads", "head")))
        self.net = create_feature_extractor(net, {node: "features"})
        # The classifiers of torchvision were trained on a 224 crop of a picture whose short side is 256, in ImageNet's mean and deviation.
        self.pixels = preprocess or Preprocess(224, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        self._config = {"kind": "torchvision", "name": name, "preprocess": asdict(self.pixels)}
        with torch.inference_mode():
            self.dim = int(self(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.net(pixels)["features"]
        return features.flatten(1)

    def config(self) -> dict[str, Any]:
        return self._config

    def save(self, folder: Path) -> None:
        """Nothing beside the weights."""


def backbone(config: Mapping[str, Any], folder: Path) -> Backbone:
    """Build what `Backbone.config` described; its own files are in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "residual", "net": net, "preprocess": preprocess}:
            shape = ResidualConfig(**{**net, "widths": tuple(net["widths"]), "depths": tuple(net["depths"])})
            return ResidualBackbone(net=shape, preprocess=_preprocess(preprocess))
        case {"kind": "transformers"}:
            return TransformersBackbone(folder / "image")
        case {"kind": "torchvision", "name": name, "preprocess": preprocess}:
            return TorchvisionBackbone(name, preprocess=_preprocess(preprocess))
    raise EncoderError(
        f"This lexel does not know the image backbone {config.get('kind')!r}; the encoder may need a newer one."
    )


def _preprocess(table: Mapping[str, Any]) -> Preprocess:
    return Preprocess(**{**table, "mean": tuple(table["mean"]), "std": tuple(table["std"])})
