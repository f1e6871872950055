"""A plot of the health report: the share of items with each term, and a histogram of terms per item."""

from pathlib import Path
from typing import Any

import numpy as np

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.stats.health_report import TOO_COMMON, StatsReport

_ITEMS, _QUERIES = "#1b7f5c", "#c8642b"


def save_picture(report: StatsReport, path: Path) -> None:
    """Plot the report to `path`, a .png, .svg or .pdf. Raises ConfigError for another suffix."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    if path.suffix[1:].lower() not in figure.canvas.get_supported_filetypes():
        raise ConfigError(f"{path} is no picture that can be drawn: let its name end in .png, .svg or .pdf.")
    left, right = figure.subplots(1, 2)
    _curve(left, report)
    _histogram(right, report)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.5)
    figure.savefig(path, dpi=150)


def _curve(axes: Any, report: StatsReport) -> None:
    """The share of items by rank of the term, and for each term the share of queries that contain it."""
    order = report.by_share
    rank = np.arange(1, len(order) + 1)
    items, queries = report.counts.share[order], report.asked.share[order]
    axes.scatter(
        rank[queries > 0], queries[queries > 0], s=3, color=_QUERIES, alpha=0.35, linewidths=0, label="queries"
    )
    axes.plot(rank[items > 0], items[items > 0], color=_ITEMS, linewidth=2, label="items")
    axes.axhline(TOO_COMMON, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log", yscale="log", xlabel="terms, that on the most items first", ylabel="share that holds the term"
    )
    axes.set_title(f"{len(order):,} terms, {len(report.dead):,} of them on no item", loc="left", fontsize=10)
    axes.legend(frameon=False)


def _histogram(axes: Any, report: StatsReport) -> None:
    active = report.counts.active
    width = max(1, len(active) // 40)
    bins = np.arange(0, len(active) + width, width)
    axes.hist(np.arange(len(active)), bins=bins, weights=active, color=_ITEMS, edgecolor="white", linewidth=0.5)
    axes.axvline(report.mean_active, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="terms on an item", ylabel="items")
    about = f"{report.counts.items:,} items, {report.mean_active:.1f} terms on the mean one"
    axes.set_title(about, loc="left", fontsize=10)
