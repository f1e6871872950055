"""The precision in which large products are computed where speed matters more than the last digit."""

from contextlib import AbstractContextManager
from typing import Any

import torch


def fast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 where the hardware multiplies it faster than float32: on GPUs, and on CPUs with instructions for it."""
    on = device.type == "cuda" or (device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))
    return torch.autocast(device.type, torch.bfloat16, enabled=on)
