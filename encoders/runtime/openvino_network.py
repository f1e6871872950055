"""The picture side of an encoder compiled by OpenVINO for CPUs: the same network in other loops, or one in 8 bits.

image.xml, image.bin   the network, beside the files of the encoder that it was made of

OpenVINO is asked for nothing but arithmetic: what it would report of its use to its makers is left out.
"""

import io
import logging
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.runtime.device import available_cores
from lexel.encoders.runtime.hf_checkpoints import first_line

FILE = "image.xml"

# Held while a program is made and used for the first time. The binding fills tables of its own at its first inference,
# and two threads that are there at once wait for each other forever: one has Python's lock and waits for the table, the
# other fills the table and waits for Python's lock (pybind11, pull request 4877, has the kind).
_first = threading.Lock()


class OpenVinoNetwork:
    """The network in `folder`, for as many threads at once as there are cores. Raises EncoderError without OpenVINO."""

    def __init__(self, folder: Path) -> None:
        self._core = import_openvino().Core()
        try:
            self._network = self._core.read_model(folder / FILE)
        except RuntimeError as error:
            raise EncoderError(f"{folder / FILE} cannot be read: {first_line(error)}") from error
        self._bytes = self._network.input(0).element_type.get_type_name() == "u8"
        self._programs: dict[str, Any] = {}
        self._idle: dict[str, deque[Any]] = {"bf16": deque(), "f32": deque()}

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [B, 3, H, W] to features [B, F], in bfloat16 where torch would be computing in it.

        Raises EncoderError where it was compiled for numbers and gets bytes, or the other way round.
        """
        if (pixels.dtype == torch.uint8) != self._bytes:
            raise EncoderError("This encoder was compiled by another lexel, for other pixels; compile it again.")
        precision = "bf16" if torch.is_autocast_enabled("cpu") else "f32"
        # Each has memory of its own: as many are made as are ever at work at once, whichever thread asks.
        try:
            request = self._idle[precision].pop()
        except IndexError:
            request = self._program(precision, pixels[:1]).create_infer_request()
        features = _features(request, pixels)
        self._idle[precision].append(request)
        return features

    def _program(self, precision: str, picture: torch.Tensor) -> Any:
        with _first:
            if precision not in self._programs:
                program = self._core.compile_model(self._network, "CPU", _settings(precision))
                _features(program.create_infer_request(), picture)
                self._programs[precision] = program
            return self._programs[precision]


def _features(request: Any, pixels: torch.Tensor) -> torch.Tensor:
    request.infer([pixels.contiguous().numpy()], share_inputs=True)
    return torch.from_numpy(request.get_output_tensor(0).data.copy())


def _settings(precision: str) -> dict[str, Any]:
    # One core a thread that asks, as torch has it here too (see pipeline/encode/workers.py), and whichever is
    # free: pinned to its core it would wait for whoever decodes pictures there.
    return {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": available_cores(),
        "INFERENCE_NUM_THREADS": available_cores(),
        "ENABLE_CPU_PINNING": False,
    }


def import_openvino() -> Any:
    """The module `openvino`. Raises EncoderError where it is not installed."""
    with silence():
        try:
            import openvino
        except ImportError:
            raise missing_openvino() from None
    return openvino


def openvino_version() -> str | None:
    """The version of OpenVINO, found without importing it; None where it is not installed."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return None


def missing_openvino() -> EncoderError:
    """What is said where OpenVINO is not installed."""
    return EncoderError("Compiled encoders need OpenVINO; `pip install 'lexel[openvino]'` brings it.")


@contextmanager
def silence() -> Iterator[None]:
    """Keep OpenVINO from counting its uses for its makers, and from talking."""
    name, before = "openvino_telemetry", logging.root.manager.disable
    there = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # as if it were not installed, which OpenVINO can live with
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        if there is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = there
