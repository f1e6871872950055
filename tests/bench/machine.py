"""The machine that figures were taken on, in the words that belong beside them."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lexel.encoders.runtime.device import available_cores

_PACKAGES = ("lexel", "torch", "torchvision", "transformers", "pillow", "pyarrow", "opensearch-py")
# What decides how fast a network runs on a CPU, as Linux spells it.
_FAST = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "bf16")


@dataclass(frozen=True)
class Machine:
    """Its processor, how many cores of it are ours, its memory and accelerator, and the versions of what ran."""

    processor: str
    cores: int
    instructions: tuple[str, ...]
    memory_gb: float
    accelerator: str | None
    system: str
    packages: dict[str, str]
    busy: float  # the load average when the bench began: what else was running

    def __str__(self) -> str:
        told = [f"{self.processor}, {self.cores} cores ({', '.join(self.instructions) or 'no vector instructions'})"]
        told += [f"{self.memory_gb:.0f} GB", self.accelerator or "no GPU", self.system]
        told += [f"{name} {number}" for name, number in self.packages.items()]
        return ", ".join([*told, f"load {self.busy:.1f} before"])


def machine() -> Machine:
    """This one."""
    return Machine(
        processor=_about("model name") or platform.processor() or platform.machine(),
        cores=available_cores(),
        instructions=tuple(name for name in _FAST if name in (_about("flags") or _about("Features")).split()),
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        accelerator=_accelerator(),
        system=f"{platform.system()}, Python {platform.python_version()}",
        packages={name: number for name in _PACKAGES if (number := _version(name))},
        busy=os.getloadavg()[0],
    )


def _about(what: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(what)), "")


def _accelerator() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
