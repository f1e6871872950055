"""calibration.json, which `lexel tune` stores with an encoder; it changes scores, not what is encoded."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import copy_encoder
from lexel.encoders.registry import BUILT_IN
from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.calibrate.run import Tuned, tune_encoder
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.progress import Watch, unwatched

_NAME = "calibration.json"


def calibrate_encoder(
    path: str | Path,
    *,
    encoder: Encoder,
    out: Path | None = None,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    watch: Watch = unwatched,
) -> tuple[dict[str, Tuned], Path]:
    """Calibrate `encoder` on a split of `path` (see `tune_encoder`) and store the result with it.

    With `out`, a new folder, the encoder is copied there first. Returns the result and the path of calibration.json.
    Raises the errors of `check`.
    """
    check(encoder, out)
    found = tune_encoder(path, encoder=encoder, split=split, device=device, batch_size=batch_size, watch=watch)
    return found, store(encoder, found, out, device=device)


def check(encoder: Encoder, out: Path | None) -> None:
    """Check before the work that the result can be stored, in `out` or in the encoder's folder.

    Raises ConfigError if `out` is not empty, or is None and the encoder is not in a writable folder of the user's.
    """
    if out is not None:
        if out.exists() and any(out.iterdir()):
            raise ConfigError(f"{out} holds something already; name a new folder for the encoder.")
        return
    own = (encoder.folder / "lexel.json").is_file() and encoder.folder not in BUILT_IN.values()
    if not (own and os.access(encoder.folder, os.W_OK)):
        raise ConfigError(
            f"{encoder.ref} is not a folder of your own that can keep a calibration; "
            "add --out FOLDER, and the encoder is copied there with it."
        )


def store(encoder: Encoder, found: Mapping[str, Tuned], out: Path | None, *, device: str = "auto") -> Path:
    """Write the calibration into the encoder's folder, or into a copy of it in `out`, and return its path."""
    folder = encoder.folder if out is None else copy_encoder(encoder, out, device=device).folder
    path = folder / _NAME
    before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    after = before | {
        "vector_weight": before.get("vector_weight", {}) | {side: one.after for side, one in found.items()},
        "cutoff": before.get("cutoff", {})
        | {side: {mode: cut.score for mode, cut in one.cutoffs.items()} for side, one in found.items()},
        "least_cosine": before.get("least_cosine", {})
        | {side: one.least.cosine for side, one in found.items() if one.least},
    }
    write_atomically(path, (json.dumps(after, indent=1) + "\n").encode())
    return path
