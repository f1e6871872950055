"""Exports the image side of an encoder to OpenVINO, in float32 or 8 bits.

Sources: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
CVPR 2018; Xiao et al., "SmoothQuant", ICML 2023, both by NNCF's post-training quantisation.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.model import Model
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line
from lexel.encoders.runtime.openvino_network import FILE, import_openvino, missing_openvino, silence

# Modules whose names contain these are attention layers, which lose least accuracy with SmoothQuant.
_ATTENTION = ("attention", "attn")


def export_openvino(folder: Path, model: Model) -> None:
    """Write the image side of `model`, which must be on the CPU, to `folder` in float32.

    Raises EncoderError if OpenVINO is not installed or cannot convert the network.
    """
    openvino = import_openvino()
    blank = torch.stack([model.blank, model.blank])
    with silence():
        try:
            with torch.inference_mode():
                network = openvino.convert_model(
                    _Features(model.tower), example_input=blank, input=[-1, *model.blank.shape]
                )
        except BROKEN as error:
            raise EncoderError(f"OpenVINO cannot compile this encoder's network: {first_line(error)}") from error
        openvino.save_model(network, folder / FILE, compress_to_fp16=False)


def quantize_openvino(folder: Path, model: Model, pictures: Iterable[torch.Tensor]) -> None:
    """Quantise the network in `folder`, the exported image side of `model`, to 8 bits.

    Its ranges are calibrated on `pictures` (pixels [3, H, W] each). Raises EncoderError if OpenVINO is not installed.
    """
    openvino, nncf = import_openvino(), _nncf()
    shown = [pixels[None].contiguous().numpy() for pixels in pictures]
    kind = nncf.ModelType.TRANSFORMER if _attends(model.tower) else None
    with silence():
        # Not memory-mapped, since the file is overwritten below.
        network = openvino.Core().read_model(folder / FILE, config={"ENABLE_MMAP": False})
        network = nncf.quantize(network, nncf.Dataset(shown), model_type=kind, subset_size=len(shown))
        openvino.save_model(network, folder / FILE, compress_to_fp16=False)


class _Features(nn.Module):
    """A tower's image side: pixels to features."""

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.tower.images(pixels)[0]
        return features


def _attends(tower: nn.Module) -> bool:
    return any(word in name.lower() for name, _ in tower.named_modules() for word in _ATTENTION if "text" not in name)


def _nncf() -> Any:
    with silence():
        try:
            import nncf
        except ImportError:
            raise missing_openvino() from None
    return nncf
