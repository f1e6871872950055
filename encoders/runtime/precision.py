"""The precision in which large products are computed where speed matters more than the last digit."""

import platform
from contextlib import AbstractContextManager
from typing import Any

import torch


def fast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 where the hardware multiplies it faster than float32: on GPUs, and on CPUs with instructions for it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_faster(device))


def is_faster(device: torch.device) -> bool:
    """Whether `fast` changes anything there."""
    return device.type == "cuda" or (device.type == "cpu" and _cpu_has_bfloat16())


def _cpu_has_bfloat16() -> bool:
    # torch also says yes of x86 CPUs that must do it in float32 after all.
    by_itself = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
        by_itself or platform.machine() not in {"x86_64", "AMD64"}
    )
