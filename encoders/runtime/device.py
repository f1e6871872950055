"""The device that networks run on, and the number of CPU cores."""

import os

import torch

from lexel.encoders.encoder_error import EncoderError

_BATCH, _LARGE_BATCH, _LARGE_MEMORY = 32, 256, 16 * 10**9


def resolve_device(name: str) -> torch.device:
    """The device called `name`; "auto" is a GPU if there is one, else the CPU. Raises EncoderError if unusable."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise EncoderError(f"The device {name!r} cannot be used here; try --device cpu.") from error
    return device


def batch_size(device: torch.device) -> int:
    """So many items at once as keep a device busy, and fit into its memory with a network of some 100 million numbers.

    A core that computes alone gains nothing by more than fit its cache; a large GPU waits for its host with fewer.
    """
    if device.type != "cuda":
        return _BATCH
    return _LARGE_BATCH if torch.cuda.get_device_properties(device).total_memory >= _LARGE_MEMORY else _BATCH


def available_cores() -> int:
    """The number of cores that this process may use, which is less than the machine's under CPU affinity limits."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
