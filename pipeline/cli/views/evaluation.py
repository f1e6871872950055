"""Evaluations and calibrations in a terminal."""

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from lexel.pipeline.calibrate.run import Tuned
from lexel.pipeline.evaluate.compare import RunComparison
from lexel.pipeline.evaluate.metrics import MEDIAN
from lexel.pipeline.evaluate.report import DirectionResult, EvaluationReport, Measured, Step
from lexel.pipeline.evaluate.word_truth import LOOKED_AT, WordTruth

_TITLES = {MEDIAN: "median"}


def heading(report: EvaluationReport) -> str:
    """One line: encoder, collection, numbers of images and captions."""
    about = report.about
    parts = [f"{about['pictures']:,} pictures"]
    parts += [f"{about['captions']:,} captions"] if about["captions"] else []
    parts += [f"[yellow]{about['failed']:,} could not be encoded[/]"] if about["failed"] else []
    split = f" {about['split']}" if about["split"] else ""
    return f"[bold]{about['encoder']}[/] [dim]{about['fingerprint']}[/] on {about['source']}{split}: {', '.join(parts)}"


def direction(name: str, result: DirectionResult, *, depth: int) -> Table:
    """One row per mode, one column per measure, in per cent, with half the width of the 95 % interval below."""
    table = _table(name.replace("_to_", " → "))
    measures = list(next(iter(result.modes.values())).means)
    for measure in measures:
        table.add_column(_TITLES.get(measure, measure), justify="right")
    for mode, found in result.modes.items():
        table.add_row(mode, *(_figure(found, measure, depth) for measure in measures))
    return table


def cost(report: EvaluationReport) -> str:
    """One line: terms per image and query, bytes per image in the index."""
    views = ", ".join(f"{view} alone {size:,.0f}" for view, size in report.cost.items() if view != "whole")
    first = next(iter(report.directions.values()))
    return (
        f"[dim]{first.item_terms:.1f} terms a picture, {first.query_terms:.1f} a query; "
        f"{report.cost['whole']:,.0f} bytes a picture in the index ({views})[/]"
    )


def truth(found: WordTruth) -> str:
    """One or two lines: how many of the first words captions hold, and the words that are said too often."""
    line = f"[dim]{found.first:.1f} % of the first {LOOKED_AT} words of a picture stand in one of its captions[/]"
    if not found.over_said:
        return line
    named = ", ".join(f"{one.term} {one.said:.0%} (captions {one.expected:.1%})" for one in found.over_said[:8])
    return f"{line}\n[dim]{len(found.over_said)} words are said too often: {named}[/]"


def curve(steps: Sequence[Step]) -> Table:
    """Recall and bytes per image, by the number of terms per image."""
    table = _table("terms a picture")
    modes = list(steps[0].means)
    for title in (*(f"{mode} R@{k}" for mode in modes for k in (1, 10)), "bytes, terms alone", "bytes, whole"):
        table.add_column(title, justify="right")
    for step in steps:
        figures = [f"{step.means[mode][f'R@{k}']:.1f}" for mode in modes for k in (1, 10)]
        table.add_row(_budget(step), *figures, f"{step.bytes['terms']:,.0f}", f"{step.bytes['whole']:,.0f}")
    return table


def comparison(found: RunComparison) -> Table:
    """One row per direction, mode and measure; significant differences are bold."""
    table = _table(title="")
    for title in ("", "", "A", "B", "B - A", "95 %", "p"):
        table.add_column(title, justify="right" if title else "left")
    before = ""
    for one in found.differences:
        here = one.direction.replace("_to_", " → ")
        style = "" if one.low <= 0 <= one.high else "bold green" if one.difference > 0 else "bold red"
        table.add_row(
            here if here != before else "",
            one.mode,
            one.measure,
            f"{one.a:.1f}",
            f"{one.b:.1f}",
            f"[{style}]{one.difference:+.1f}[/]" if style else f"{one.difference:+.1f}",
            f"[dim]{one.low:+.1f} {one.high:+.1f}[/]",
            f"{one.p:.4f}",
        )
        before = here
    return table


def weights(found: Mapping[str, Tuned]) -> Table:
    """One row per side: vector weight and recall of hybrid queries, before and after."""
    table = _table("query")
    for title in ("vector weight", "R@1", "R@5", "R@10"):
        table.add_column(title, justify="right")
    for side, one in found.items():
        pairs = zip(one.recalls_before, one.recalls_after, strict=True)
        recalls = (f"[dim]{before:.1f} →[/] {after:.1f}" for before, after in pairs)
        table.add_row(side, f"[dim]{one.before:g} →[/] {one.after:g}", *recalls)
    return table


def cutoffs(found: Mapping[str, Tuned]) -> Table:
    """One row per side and mode: the cut-off score, with precision and recall of the results above it; and one for the
    least cosine of the vector's neighbours.
    """
    table = _table("query")
    for title in ("mode", "cut-off", "results kept", "precision", "recall"):
        table.add_column(title, justify="left" if title == "mode" else "right")
    for side, one in found.items():
        for mode, cut in one.cutoffs.items():
            share = f"{100 * cut.precision:.1f} %", f"{100 * cut.recall:.1f} %"
            score = cut.score - {"vector": 1.0, "hybrid": one.after}.get(mode, 0.0)  # without OpenSearch's constant
            table.add_row(side, mode, f"{score:.4g}", f"{cut.kept:.1f}", *share)
        if one.least:
            table.add_row(side, "neighbours", f"{one.least.cosine:g}", "", "", f"{100 * one.least.recall:.1f} %")
    return table


def _table(title: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(title, header_style="bold", no_wrap=True)
    return table


def _figure(found: Measured, measure: str, depth: int) -> str:
    low, high = found.intervals[measure]
    if measure == MEDIAN:
        return f"{_rank(found.means[measure], depth)}\n[dim]{_rank(low, depth)}–{_rank(high, depth)}[/]"
    return f"{found.means[measure]:.1f}\n[dim]±{(high - low) / 2:.1f}[/]"


def _rank(value: float, depth: int) -> str:
    return f"{value:.0f}" if math.isfinite(value) else f">{depth}"


def _budget(step: Step) -> str:
    mean = f" [dim]{step.terms:.1f} on average[/]" if step.keep - step.terms > 0.05 else ""
    return f"{step.keep}{mean}"
