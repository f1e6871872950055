"""The file of an encoder's own weights: all but those that `transformers` checkpoints or packages hold."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lexel.encoders.image.backbones import TransformersBackbone
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.towers import DualTower

WEIGHTS = "lexel.safetensors"
# Modules that hold a `transformers` checkpoint, which is saved in its own format.
_CHECKPOINTS = (TransformersBackbone, TransformersText, DualTower)


def write_weights(path: Path, tower: nn.Module, head: nn.Module) -> None:
    """Write what is the encoder's own, matrices in float16."""
    save_file({key: _half(value) for key, value in _own(tower, head).items()}, path)


def read_weights(path: Path, tower: nn.Module, head: nn.Module) -> None:
    """Fill both from a file of `write_weights`. Raises ValueError if it describes other networks."""
    own, saved = _own(tower, head), load_file(path)
    if own.keys() != saved.keys():
        raise ValueError(
            f"{path.name} lacks or exceeds what lexel.json describes ({sorted(own.keys() ^ saved.keys())[:3]})."
        )
    for key, value in own.items():
        if value.shape != saved[key].shape:  # copy_ would broadcast
            raise ValueError(f"{path.name} has another shape of {key} than lexel.json describes.")
        value.copy_(saved[key])


def _own(tower: nn.Module, head: nn.Module) -> dict[str, torch.Tensor]:
    both = nn.ModuleDict({"tower": tower, "head": head})
    foreign = tuple(f"{path}." for path, module in both.named_modules() if _is_foreign(module))
    return {key: value for key, value in both.state_dict().items() if not key.startswith(foreign)}


def _is_foreign(module: nn.Module) -> bool:
    return isinstance(module, _CHECKPOINTS) or (isinstance(module, TimmBackbone) and module.packaged)


def _half(value: torch.Tensor) -> torch.Tensor:
    # 1-D tensors (biases, running variances) stay float32: they are small, and their values can exceed float16's range.
    half = value.dim() > 1 and value.dtype == torch.float32
    return (value.half() if half else value).contiguous().cpu()
