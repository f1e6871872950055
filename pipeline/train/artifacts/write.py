"""What is kept of a training beside the encoder: its calibration, its figures, its curves and its card."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from lexel.pipeline.train.artifacts import learning_curves
from lexel.pipeline.train.tasks.loop import History

# The stage that says what the base was worth: one epoch, which makes no curve.
BEFORE = "before"


def write_artifacts(
    out: Path,
    *,
    weights: Mapping[str, float],
    stages: Mapping[str, History],
    card: str,
    failed: Mapping[str, str] | None = None,
) -> None:
    """Write all of it into the encoder's folder; `failed` are the pictures that could not be read, and why."""
    (out / "training").mkdir(exist_ok=True)
    _write(out / "calibration.json", {"vector_weight": dict(weights)})
    _write(out / "training" / "history.json", {name: asdict(history) for name, history in stages.items()})
    if failed is not None:
        _write(out / "training" / "failures.json", dict(failed))
    drawn = {name: history for name, history in stages.items() if name != BEFORE}
    learning_curves.draw(drawn, out / "training" / "curves.png")
    (out / "README.md").write_text(card, encoding="utf-8")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
