"""The health report of terms in a terminal: a table, then warnings."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lexel.pipeline.stats.counts import Named
from lexel.pipeline.stats.health_report import TOO_COMMON, StatsReport, index_bytes, warnings

_BARS = " ▁▂▃▄▅▆▇█"
_SHOWN = 6


def stats_report(report: StatsReport) -> RenderableType:
    """The report as a table, with its warnings below."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(report):
        table.add_row(name, value)
    marks = [Text.assemble(("! ", "bold yellow"), text) for text in warnings(report)]
    return Group(_title(report), table, *marks, *([] if marks else [Text("No warnings.", style="green")]))


def _title(report: StatsReport) -> str:
    counts = report.counts
    what = "texts" if counts.job.captions else "images"
    where = f"{counts.shards:,} shard{'' if counts.shards == 1 else 's'}"
    return f"[bold]{counts.items:,} {what}[/] [dim]by {escape(counts.job.name)} in {where}[/]"


def _rows(report: StatsReport) -> Iterator[tuple[str, RenderableType]]:
    counts, share = report.counts, report.counts.share
    quantiles = "  ".join(f"[dim]{p} %[/] {report.active(p)}" for p in (5, 50, 95))
    ends = f"[dim]min[/] {report.active(0)}  {quantiles}  [dim]max[/] {report.active(100)}"
    yield "terms an item", f"[bold]{report.mean_active:.1f}[/]  {ends}  [green]{histogram(counts.active)}[/]"
    curve = np.sort(share)[::-1]
    at = "  ".join(f"[dim]#{rank}[/] {curve[rank - 1]:.1%}" for rank in (1, 10, 100, 1000) if rank <= len(curve))
    yield "items a term", f"{at}  [green]{descent(curve)}[/]"
    yield "commonest", _words(report, report.by_share[:_SHOWN], share)
    yield f"over {TOO_COMMON:.0%}", f"{len(report.too_common):,} terms"
    yield "on no item", _dead(report)
    yield "rarely queried", _idle(report)
    if report.correlation is not None:
        yield (
            "items ~ queries",
            f"rank correlation {report.correlation:.2f} [dim]of term frequencies in items and queries[/]",
        )
    touched = f"{report.flops * counts.items:,.0f} postings"
    yield (
        "cost of a query",
        f"[bold]{report.flops:.2f}[/] multiplications an item, {touched} [dim]by {escape(report.asked.by)}[/]",
    )
    yield "bytes an item", _bytes(report)
    if not counts.job.captions:
        yield "most certain", _items(counts.most)
        yield "least certain", _items(counts.least)


def histogram(active: npt.NDArray[np.int64], *, bins: int = 16) -> str:
    """A histogram of terms per item as a line of bars; `active` [n] is the number of items with n terms."""
    edges = np.linspace(0, len(active), min(bins, len(active)) + 1).round().astype(int)
    return _line([float(active[a:b].sum()) for a, b in pairwise(edges)])


def descent(curve: npt.NDArray[np.float64], *, bins: int = 16) -> str:
    """Sorted shares as a line of bars over the logarithm of the rank."""
    if not len(curve):
        return ""
    ranks = np.unique(np.geomspace(1, len(curve), bins).round().astype(int)) - 1
    return _line([float(curve[rank]) for rank in ranks])


def _line(values: Sequence[float]) -> str:
    top = max(values, default=0) or 1.0
    # Every positive value is visible.
    return "".join(_BARS[max(1, round(8 * value / top)) if value else 0] for value in values)


def _words(report: StatsReport, rows: npt.NDArray[np.int64], share: npt.NDArray[np.float64]) -> str:
    parts = [f"{escape(report.counts.vocabulary.terms[row])} [dim]{share[row]:.0%}[/]" for row in rows.tolist()]
    return "  ".join(parts) or "none"


def _dead(report: StatsReport) -> str:
    number, whole = len(report.dead), len(report.counts.vocabulary)
    if not number:
        return "none of the terms"
    some = ", ".join(map(escape, report.names(report.dead[:3])))
    asked = f"[dim]{report.dead_asked:.1%} of the terms of queries[/]"
    return f"{number:,} of {whole:,} terms, such as {some}  {asked}"


def _idle(report: StatsReport) -> str:
    if not len(report.idle):
        return "none of the terms on items"
    some = ", ".join(map(escape, report.names(report.idle[:3])))
    return f"{len(report.idle):,} terms, such as {some}  [dim]{report.idle_postings:.0%} of the postings[/]"


def _bytes(report: StatsReport) -> str:
    counts, number = report.counts, max(1, report.counts.items)
    files = sum(counts.parquet.values())
    index = f"{index_bytes(counts) / number:,.0f} of terms and words, {4 * counts.job.dim:,} of vector"
    own = f"{counts.parquet.get('terms', 0) / number:,.0f} of terms in {files / number:,.0f}"
    return f"in the index about {index}; in the shards {own}"


def _items(items: Named) -> RenderableType:
    lines = [f"{escape(name)} [dim]{certainty:.2f}[/]" for name, certainty in items[:3]]
    return Text.from_markup("  ".join(lines)) if lines else "none"
