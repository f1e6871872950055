"""Image backbones: pixels to pooled features. Pixels are made on worker threads, features in batches."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.efficientnet_lite import PACKAGED
from lexel.encoders.image.hf_processor import ImageProcessor
from lexel.encoders.image.preprocess import ENLARGED, Picture, Preprocess
from lexel.encoders.image.regions import RegionBackbone
from lexel.encoders.image.residual_net import ResidualConfig, ResidualNet
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line, locate, network, quiet


class Backbone(Protocol):
    """The image side of a PairTower."""

    @property
    def dim(self) -> int:
        """The dimension of a feature vector."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to [3, H, W], uint8 or float32."""

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """A batch of `pixels`, [B, 3, H, W], to pooled features [B, dim]."""

    def config(self) -> dict[str, Any]:
        """The JSON table from which `backbone` builds it again."""

    def save(self, folder: Path) -> None:
        """Write the files that are not part of lexel.safetensors."""


class ResidualBackbone(nn.Module):
    """The project's own small convolutional network (`lexel-tiny`)."""

    def __init__(self, *, net: ResidualConfig, preprocess: Preprocess) -> None:
        super().__init__()
        self.net, self.prepare, self.dim = ResidualNet(net), preprocess, net.feature_dim
        self._config = {"kind": "residual", "net": asdict(net), "preprocess": preprocess.config()}

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to uint8 [3, S, S]."""
        return self.prepare(image)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] to [B, dim]."""
        features: torch.Tensor = self.net(self.prepare.normalised(pixels))
        return features

    def config(self) -> dict[str, Any]:
        """The network's shape and the preprocessing."""
        return self._config

    def save(self, folder: Path) -> None:
        """Writes nothing: it has only weights."""


class TransformersBackbone(nn.Module):
    """A `transformers` vision model with its own processor; `checkpoint` is a folder or a hub name.

    The features are the model's pooled output, averaged over space if it is a map; if the model has no pooler, the
    state of the first token, which is the class token of a vision transformer. With `whole` the image is resized to a
    square instead of centre-cropped, for a convolutional network to a square larger by ENLARGED. Raises EncoderError
    for a model that has no such output.
    """

    def __init__(self, checkpoint: str | Path, *, whole: bool = False) -> None:
        super().__init__()
        folder = self.folder = locate(checkpoint)
        self.net = network(folder)
        enlarged = ENLARGED if whole and self._is_convolutional(folder) else 1.0
        self.processor = ImageProcessor(folder, whole=whole, enlarged=enlarged)
        self.pixels = self.processor.pixels
        try:
            with torch.inference_mode():
                self.dim = int(self(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1])
        except BROKEN as error:
            kind = type(self.net).__name__
            raise EncoderError(
                f"{folder} holds a {kind}, which makes no features of pictures alone ({first_line(error)})."
            ) from error

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [B, 3, H, W] to features [B, dim]."""
        output = self.net(**self.processor.inputs(pixels))
        pooled: torch.Tensor | None = output.get("pooler_output")
        return _flat(output.last_hidden_state[:, 0] if pooled is None else pooled)

    def _is_convolutional(self, folder: Path) -> bool:
        """Whether the network's output is a map [B, F, H, W], so that it accepts images of any size."""
        processor = ImageProcessor(folder)
        try:
            with torch.inference_mode():
                found = self.net(**processor.inputs(processor.pixels(Image.new("RGB", (64, 64)))[None]))
        except BROKEN:  # not an image model; __init__ reports that
            return False
        states: torch.Tensor | None = found.get("last_hidden_state")
        return states is not None and states.dim() == 4

    def config(self) -> dict[str, Any]:
        """The kind alone; the rest is in the checkpoint's own files."""
        return {"kind": "transformers"}

    def save(self, folder: Path) -> None:
        """Write the checkpoint to `folder`/image."""
        with quiet():
            self.net.save_pretrained(folder / "image")
        self.processor.save(folder / "image")


class TorchvisionBackbone(nn.Module):
    """A `torchvision` classifier by name, without its classification layers; a remaining map is averaged over space.

    `weights` is the name of torchvision weights, or None for random ones. Raises EncoderError if either is unknown.
    """

    def __init__(self, name: str, *, weights: str | None = None, preprocess: Preprocess | None = None) -> None:
        from torchvision import models
        from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

        super().__init__()
        if name not in models.list_models(module=models):
            raise EncoderError(
                f"torchvision has no model named {name!r}; `torchvision.models.list_models()` names them."
            )
        try:
            net = models.get_model(name, weights=weights).eval()
        except (ValueError, KeyError, OSError) as error:
            raise EncoderError(f"The weights {weights!r} of {name} cannot be had: {first_line(error)}") from error
        self.name, self.weights = name, weights
        nodes = get_graph_node_names(net)[1]
        # The features are the input of the classifier's first layer; torchvision has four names for the classifier.
        classifier = next(i for i, n in enumerate(nodes) if n.split(".")[0] in {"fc", "classifier", "heads", "head"})
        self.net = create_feature_extractor(net, {nodes[classifier - 1]: "features"})
        self.prepare: Preprocess = preprocess or _as_trained(name, weights)
        self._config = {"kind": "torchvision", "name": name, "preprocess": self.prepare.config()}
        try:
            with torch.inference_mode():
                self.dim = int(self(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1])
        except (RuntimeError, AssertionError) as error:
            size = self.prepare.size
            raise EncoderError(f"{name} cannot read pictures of {size} pixels: {first_line(error)}") from error

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to uint8 [3, S, S]."""
        return self.prepare(image)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] to [B, dim]."""
        return _flat(self.net(self.prepare.normalised(pixels))["features"])

    def config(self) -> dict[str, Any]:
        """The network's name and the preprocessing."""
        return self._config

    def save(self, folder: Path) -> None:
        """Writes nothing: it has only weights."""


def backbone(config: Mapping[str, Any], folder: Path) -> Backbone:
    """Build a backbone from its `config` table and its files in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "residual", "net": net, "preprocess": preprocess}:
            shape = ResidualConfig(**{**net, "widths": tuple(net["widths"]), "depths": tuple(net["depths"])})
            return ResidualBackbone(net=shape, preprocess=_preprocess(preprocess))
        case {"kind": "transformers"}:
            return TransformersBackbone(folder / "image")
        case {"kind": "torchvision", "name": name, "preprocess": preprocess}:
            return TorchvisionBackbone(name, preprocess=_preprocess(preprocess))
        case {"kind": "timm", "name": name, "stages": stages, "preprocess": preprocess}:
            # Weights that are not in a package are in lexel.safetensors.
            weights = PACKAGED[name].named(config["weights"]) if "weights" in config else None
            seen = _preprocess(preprocess)
            return TimmBackbone(name, pretrained=weights is not None, stages=stages, preprocess=seen)
        case {"kind": "regions", "name": name, "regions": regions, "pool": pool, "preprocess": preprocess}:
            return RegionBackbone(name, regions=regions, pool=pool, preprocess=_preprocess(preprocess))
    raise EncoderError(
        f"This lexel does not know the image backbone {config.get('kind')!r}; the encoder may need a newer one."
    )


def _as_trained(name: str, weights: str | None) -> Preprocess:
    """The preprocessing of a torchvision classifier's training: mostly a 224 crop of an image with short side 256."""
    from torchvision import models

    if weights is None:
        return Preprocess(224, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    seen = models.get_model_weights(name)[weights].transforms()
    return Preprocess(seen.crop_size[0], seen.resize_size[0], tuple(seen.mean), tuple(seen.std))


def _flat(features: torch.Tensor) -> torch.Tensor:
    """[B, F] or a map [B, F, H, W] to [B, F]."""
    return features.mean((2, 3)) if features.dim() == 4 else features.flatten(1)


def _preprocess(table: Mapping[str, Any]) -> Preprocess:
    return Preprocess(**{**table, "mean": tuple(table["mean"]), "std": tuple(table["std"])})
