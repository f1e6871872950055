"""Plots learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lexel.pipeline.train.tasks.loop import History

_PANELS = {
    "loss": ("loss",),
    "recall on val, %": ("R@1", "R@5", "R@10", "back R@10"),
    "terms": ("terms/image", "kept/image", "terms/query"),
}


def draw(stages: Mapping[str, History], path: Path) -> None:
    """Write a PNG with one row per stage: loss, recall on val and number of active terms by epoch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = {name: history for name, history in stages.items() if history.epochs}
    if not rows:
        return
    figure = Figure(figsize=(11, 2.9 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), len(_PANELS), squeeze=False)
    for (stage, history), axes in zip(rows.items(), grid, strict=True):
        for (title, names), axis in zip(_PANELS.items(), axes, strict=True):
            _panel(axis, names, history.epochs)
            axis.set_title(f"{stage}: {title}", fontsize=10)
            axis.axvline(history.best + 1, color="0.7", linestyle=":", linewidth=1)
            axis.set_xlabel("epoch", fontsize=8)
    figure.savefig(path, dpi=110)


def _panel(axis: object, names: Sequence[str], epochs: Sequence[Mapping[str, float]]) -> None:
    shown = [name for name in names if name in epochs[0]]
    for name in shown:
        axis.plot(range(1, len(epochs) + 1), [e[name] for e in epochs], label=name, linewidth=1.5)  # type: ignore[attr-defined]
    if shown:
        axis.legend(fontsize=7, frameon=False)  # type: ignore[attr-defined]
        axis.grid(alpha=0.2)  # type: ignore[attr-defined]
    else:
        axis.set_axis_off()  # type: ignore[attr-defined]
