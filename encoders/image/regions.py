"""A picture as its regions: the boxes that a detector is surest of, each with the features of what is in it."""

from collections import OrderedDict
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.preprocess import Picture, Preprocess
from lexel.encoders.runtime.hf_checkpoints import first_line

Pool = Literal["mean", "sum"]


class RegionBackbone(nn.Module):
    """The `regions` boxes that a `torchvision` Faster R-CNN is surest of, as features of its box head.

    Regions found by a detector, described by its own features, are "bottom-up attention" (Anderson et al., CVPR 2018).
    Every picture has the same number of features: those of its boxes, best first, each followed by a 1, then zeros
    where it has fewer. A picture without any box is one region as a whole. `pool` says what `summary` makes of them.
    The detector is never trained. Raises EncoderError for an unknown name or weights, or a detector of another make.
    """

    def __init__(
        self,
        name: str,
        *,
        weights: str | None = None,
        regions: int = 16,
        pool: Pool = "mean",
        preprocess: Preprocess | None = None,
    ) -> None:
        super().__init__()
        self.net = _detector(name, weights)
        self.regions, self.pool = regions, pool
        self.width = int(self.net.roi_heads.box_predictor.cls_score.in_features)
        self.dim = regions * (self.width + 1)
        seen = self.net.transform
        # The whole picture is squeezed into a square of the side that the detector was trained on: nothing is lost at
        # the edges, where half of its regions are.
        self.prepare = preprocess or Preprocess(seen.min_size[0], None, tuple(seen.image_mean), tuple(seen.image_std))
        self._config = {"kind": "regions", "name": name, "regions": regions, "pool": pool}

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB picture to bytes [3, S, S]."""
        return self.prepare(image)

    def train(self, mode: bool = True) -> "RegionBackbone":
        """It stays as it is: in training a detector asks for boxes to learn from."""
        return super().train(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] to [B, regions * (width + 1)]."""
        pixels = self.prepare.normalised(pixels).float()
        # Half precision would move a box by pixels.
        with torch.autocast(pixels.device.type, enabled=False):
            maps = self.net.backbone(pixels)
            boxes = [found[: self.regions] for found in self._boxes(pixels, maps)]
            features = self._box_features(maps, boxes, pixels)
        parts = torch.split(pad(features, (0, 1), value=1.0), [len(b) for b in boxes])
        rows = pad_sequence(list(parts), batch_first=True)
        return pad(rows, (0, 0, 0, self.regions - rows.shape[1])).flatten(1)

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """What `forward` made to the mean or the sum of its regions, [B, width]."""
        vectors, there = regions_of(features, self.regions)
        total = (vectors * there[:, :, None]).sum(1)
        return total if self.pool == "sum" else total / there.sum(1, keepdim=True).clamp(min=1)

    def _boxes(self, pixels: torch.Tensor, maps: "OrderedDict[str, torch.Tensor]") -> list[torch.Tensor]:
        """The boxes of each picture [N, 4], surest first, at least one."""
        from torchvision.models.detection.image_list import ImageList

        sizes = _sizes(pixels)
        proposals, _ = self.net.rpn(ImageList(pixels, sizes), maps)
        scores, moves = self.net.roi_heads.box_predictor(self._box_features(maps, proposals, pixels))
        found, _, _ = self.net.roi_heads.postprocess_detections(scores, moves, proposals, sizes)
        whole = torch.tensor([[0.0, 0.0, pixels.shape[3], pixels.shape[2]]], device=pixels.device)
        return [boxes if len(boxes) else whole for boxes in found]

    def _box_features(
        self, maps: "OrderedDict[str, torch.Tensor]", boxes: list[torch.Tensor], pixels: torch.Tensor
    ) -> torch.Tensor:
        heads = self.net.roi_heads
        features: torch.Tensor = heads.box_head(heads.box_roi_pool(maps, boxes, _sizes(pixels)))
        return features

    def config(self) -> dict[str, Any]:
        """The detector's name, how many regions, and how pictures are prepared."""
        return {**self._config, "preprocess": self.prepare.config()}

    def save(self, folder: Path) -> None:
        """Nothing beside the weights."""


def regions_of(features: torch.Tensor, regions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [B, regions * (F + 1)] to the regions' features [B, regions, F] and which are there [B, regions]."""
    rows = features.view(len(features), regions, features.shape[1] // regions)
    return rows[:, :, :-1], rows[:, :, -1] > 0.5


def _detector(name: str, weights: str | None) -> Any:
    from torchvision import models

    if name not in models.list_models(module=models.detection):
        raise EncoderError(
            f"torchvision has no detector named {name!r}; give e.g. fasterrcnn_mobilenet_v3_large_320_fpn."
        )
    try:
        net = models.get_model(name, weights=weights, weights_backbone=None).eval()
    except (ValueError, KeyError, OSError) as error:
        raise EncoderError(f"The weights {weights!r} of {name} cannot be had: {first_line(error)}") from error
    if not hasattr(net, "roi_heads"):
        raise EncoderError(f"{name} has no features of boxes; give a Faster R-CNN.")
    _freeze(net)
    return net.requires_grad_(False)


def _freeze(net: nn.Module) -> None:
    """Give all batch norms one form: torchvision builds others for trained networks than for those still to fill."""
    from torchvision.ops import FrozenBatchNorm2d

    for parent in list(net.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, (nn.BatchNorm2d, FrozenBatchNorm2d)):
                frozen = FrozenBatchNorm2d(len(norm.weight), eps=0.0)
                frozen.load_state_dict(norm.state_dict())
                frozen.running_var += norm.eps  # trained networks have another one, which no file would tell
                setattr(parent, name, frozen)


def _sizes(pixels: torch.Tensor) -> list[tuple[int, int]]:
    return [(pixels.shape[2], pixels.shape[3])] * len(pixels)
