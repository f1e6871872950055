"""bfloat16 where the hardware is faster at it."""

import platform
from contextlib import AbstractContextManager
from typing import Any

import torch


def fast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast on GPUs and on CPUs with bfloat16 instructions; elsewhere float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_faster(device))


def is_faster(device: torch.device) -> bool:
    """Whether `fast` uses bfloat16 on `device`."""
    return device.type == "cuda" or (device.type == "cpu" and _cpu_has_bfloat16())


def _cpu_has_bfloat16() -> bool:
    # torch also says yes for x86 CPUs that only emulate bfloat16 in float32.
    by_itself = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
        by_itself or platform.machine() not in {"x86_64", "AMD64"}
    )
