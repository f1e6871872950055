"""The image backbone of lexel-tiny: a residual network of plain 3x3 convolutions, fast on a CPU."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ResidualConfig:
    """`depths[i]` residual blocks of `widths[i]` channels at 1/4, 1/8, 1/16, ... of the input's side."""

    widths: tuple[int, ...] = (48, 96, 192, 384)
    depths: tuple[int, ...] = (1, 2, 2, 2)
    feature_dim: int = 768
    side: int = 128  # pixels; the whole image is resized to a square of this side

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths) or min(*self.widths, *self.depths, self.feature_dim, self.side) < 1:
            raise ValueError("ResidualConfig needs one width and one depth per stage, all of them at least 1.")


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs))


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, https://arxiv.org/abs/1512.03385, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride)
        self.second = _convolution(outputs, outputs, 3)
        # Average pooling before the 1x1 convolution: a stride would skip three quarters of the pixels.
        pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
        straight = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if straight else nn.Sequential(pool, _convolution(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.second(torch.relu(self.first(x)))
        return torch.relu(inner + self.shortcut(x))


class ResidualNet(nn.Module):
    """Normalised pixels (B, 3, side, side) to features (B, feature_dim) >= 0.

    Other sides work too, multiples of 32 best: the last map is averaged over space.
    """

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__()
        self.config = config
        half = max(16, config.widths[0] // 2)
        self.stem = nn.Sequential(
            _convolution(3, half, 3, 2), nn.ReLU(), _convolution(half, config.widths[0], 3, 2), nn.ReLU()
        )
        blocks = [_Block(config.widths[0], config.widths[0], 1) for _ in range(config.depths[0])]
        for (inputs, outputs), depth in zip(pairwise(config.widths), config.depths[1:], strict=True):
            blocks += [_Block(inputs, outputs, 2)] + [_Block(outputs, outputs, 1) for _ in range(depth - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(_convolution(config.widths[-1], config.feature_dim, 1), nn.ReLU())

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, S, S) to features (B, feature_dim)."""
        maps: Tensor = self.last(self.blocks(self.stem(pixels.contiguous(memory_format=torch.channels_last))))
        return maps.mean(dim=(2, 3))
