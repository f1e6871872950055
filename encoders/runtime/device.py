"""The device that networks run on, and how many cores it has where it is a CPU."""

import os

import torch

from lexel.encoders.encoder_error import EncoderError


def resolve_device(name: str) -> torch.device:
    """The device called `name`; "auto" is a GPU where there is one. Raises EncoderError where it cannot be used."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise EncoderError(f"The device {name!r} cannot be used here; try --device cpu.") from error
    return device


def available_cores() -> int:
    """Those that this process may use; in a container or under a scheduler they are not all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
