"""Writes calibration, figures, learning curves and model card into the encoder's folder."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from lexel.pipeline.train.artifacts import learning_curves
from lexel.pipeline.train.tasks.loop import History

# The stage with the figures of the starting encoder: one epoch, which is not plotted.
BEFORE = "before"


def write_artifacts(
    out: Path,
    *,
    calibration: Mapping[str, Mapping[str, float]],
    stages: Mapping[str, History],
    card: str,
    failed: Mapping[str, str] | None = None,
) -> None:
    """Write all of these into the encoder's folder `out`; `failed` maps uris of unreadable images to the reason."""
    (out / "training").mkdir(exist_ok=True)
    _write(out / "calibration.json", calibration)
    _write(out / "training" / "history.json", {name: asdict(history) for name, history in stages.items()})
    if failed is not None:
        _write(out / "training" / "failures.json", dict(failed))
    drawn = {name: history for name, history in stages.items() if name != BEFORE}
    learning_curves.draw(drawn, out / "training" / "curves.png")
    (out / "README.md").write_text(card, encoding="utf-8")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
