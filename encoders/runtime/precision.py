"""bfloat16 where the hardware is faster at it."""

import math
import platform
import time
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import torch

# bfloat16 must be so many times as fast to be worth its rounding.
_WORTH, _TRIES = 1.3, 12


def fast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast on GPUs and on CPUs that multiply faster in it; elsewhere float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_faster(device))


def is_faster(device: torch.device) -> bool:
    """Whether `fast` uses bfloat16 on `device`."""
    return device.type == "cuda" or (device.type == "cpu" and _cpu_has_bfloat16() and _cpu_is_faster())


@cache
def _cpu_is_faster() -> bool:
    """Whether bfloat16 instructions pay: some processors have them, and multiply half as fast by them as in float32.

    Takes some 40 ms, once a process. The best of several times is taken, and the two differ by about a factor of two
    either way, so that what else a machine does hardly changes the answer.
    """
    times = {kind: _best_time(kind) for kind in (torch.float32, torch.bfloat16)}
    return times[torch.bfloat16] * _WORTH < times[torch.float32]


def _best_time(kind: torch.dtype) -> float:
    """Seconds for a product of matrices as large as those of a usual network."""
    left, right = torch.ones(256, 768, dtype=kind), torch.ones(768, 768, dtype=kind)
    best = math.inf
    with torch.inference_mode():
        for _ in range(_TRIES):
            begun = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - begun)
    return best


def _cpu_has_bfloat16() -> bool:
    # torch also says yes for x86 CPUs that only emulate bfloat16 in float32.
    by_itself = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
        by_itself or platform.machine() not in {"x86_64", "AMD64"}
    )
