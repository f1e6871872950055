"""Region features: the highest-scoring boxes of a detector, with the features of its box head."""

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
    """The `regions` highest-scoring boxes of a `torchvision` Faster R-CNN, as features of its box head.

    This is "bottom-up attention" (Anderson et al., CVPR 2018). Each box gives `width` features and a 1, best box first;
    the row is padded with zeros to `regions` boxes. An image without any box is one region as a whole. `pool` is how
    `summary` pools the regions. The detector is never trained. Raises EncoderError for an unknown name or weights, or a
    detector that is no Faster R-CNN.
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
        # Resized to a square of the detector's training size, not cropped: half of the regions are at the edges.
        self.prepare = preprocess or Preprocess(seen.min_size[0], None, tuple(seen.image_mean), tuple(seen.image_std))
        self._config = {"kind": "regions", "name": name, "regions": regions, "pool": pool}

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to uint8 [3, S, S]."""
        return self.prepare(image)

    def train(self, mode: bool = True) -> "RegionBackbone":
        """Stays in evaluation mode: in training mode a detector requires ground-truth boxes."""
        return super().train(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] to [B, regions * (width + 1)]."""
        pixels = self.prepare.normalised(pixels).float()
        # In bfloat16 box coordinates would be off by pixels.
        with torch.autocast(pixels.device.type, enabled=False):
            maps = self.net.backbone(pixels)
            boxes = [found[: self.regions] for found in self._boxes(pixels, maps)]
            features = self._box_features(maps, boxes, pixels)
        parts = torch.split(pad(features, (0, 1), value=1.0), [len(b) for b in boxes])
        rows = pad_sequence(list(parts), batch_first=True)
        return pad(rows, (0, 0, 0, self.regions - rows.shape[1])).flatten(1)

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """Features from `forward` to the mean or the sum over regions, [B, width]."""
        vectors, mask = regions_of(features, self.regions)
        total = (vectors * mask[:, :, None]).sum(1)
        return total if self.pool == "sum" else total / mask.sum(1, keepdim=True).clamp(min=1)

    def _boxes(self, pixels: torch.Tensor, maps: "OrderedDict[str, torch.Tensor]") -> list[torch.Tensor]:
        """The boxes of each image [N, 4], by descending score, at least one."""
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
        """The detector's name, the number of regions, the pooling and the preprocessing."""
        return {**self._config, "preprocess": self.prepare.config()}

    def save(self, folder: Path) -> None:
        """Writes nothing: it has only weights."""


def regions_of(features: torch.Tensor, regions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [B, regions * (F + 1)] to the regions' features [B, regions, F] and their mask [B, regions]."""
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
    """Make all batch norms frozen ones: which kind torchvision builds depends on whether weights are given."""
    from torchvision.ops import FrozenBatchNorm2d

    for parent in list(net.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, (nn.BatchNorm2d, FrozenBatchNorm2d)):
                frozen = FrozenBatchNorm2d(len(norm.weight), eps=0.0)
                frozen.load_state_dict(norm.state_dict())
                frozen.running_var += norm.eps  # eps also depends on it and is not in the state dict
                setattr(parent, name, frozen)


def _sizes(pixels: torch.Tensor) -> list[tuple[int, int]]:
    return [(pixels.shape[2], pixels.shape[3])] * len(pixels)
