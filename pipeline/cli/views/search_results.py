"""How results look in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lexel.pipeline.search.results import Found, Hit

out = Console(highlight=False)
# Progress and errors go to standard error, so that what a command answers can be piped on.
err = Console(stderr=True, highlight=False)

_PARTS = 6


def results(result: Found) -> None:
    """All that a search found: hits, facets, what matched in all, and the way to the next page."""
    if result.unknown:
        out.print(f"[dim]not among the words of this index: {escape(', '.join(result.unknown))}[/]", soft_wrap=True)
    if result.hits:
        out.print(found(result))
        out.print(f"[dim]{result.total:,} match, {result.took} ms[/]")
    else:
        out.print("Nothing matches.")
    for field, counts in result.facets.items():
        values = "  ".join(f"{escape(str(value))} [dim]{count:,}[/]" for value, count in counts.items())
        out.print(f"[bold]{escape(field)}[/]  {values}")
    if result.next:
        out.print(f"[dim]more: --page {result.next}[/]", soft_wrap=True)


def found(result: Found) -> Table:
    """Hits as a table: rank, score, why, and what it is."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right", style="dim")
    table.add_column("score", justify="right", style="bold")
    table.add_column("item", overflow="fold", ratio=3)
    table.add_column("why", overflow="fold", ratio=4)
    for rank, hit in enumerate(result.hits, 1):
        table.add_row(str(rank), f"{hit.score:.2f}", _what(hit), _why(hit))
    return table


def as_json(result: Found) -> dict[str, Any]:
    """The same for programs."""
    hits = [
        {
            "id": hit.id,
            "score": hit.score,
            "uri": hit.uri,
            "path": str(hit.path),
            "terms": dict(hit.parts),
            "vector": hit.vector_part,
            **{name: hit.source[name] for name in ("text", "captions", "label", "meta") if hit.source.get(name)},
        }
        for hit in result.hits
    ]
    return {
        "total": result.total,
        "took_ms": result.took,
        "hits": hits,
        "facets": {field: dict(counts) for field, counts in result.facets.items()},
        "unknown": list(result.unknown),
        "next": str(result.next) if result.next else None,
    }


def weighted(terms: Mapping[str, float], *, limit: int) -> Table:
    """A picture's weighted words, what says most of it first, with bars for the weights."""
    table = Table(box=None, pad_edge=False, show_header=False)
    shown = list(terms.items())[:limit]
    top = max((weight for _, weight in shown), default=1.0)
    for term, weight in shown:
        bar = "━" * max(1, round(24 * weight / top))
        table.add_row(f"[bold]{escape(term)}[/]", f"{weight:.2f}", f"[green]{bar}[/]")
    return table


def _what(hit: Hit) -> Text:
    return Text(hit.text) if hit.text else Text(short(hit.path), style=f"link {hit.path.as_uri()}")


def _why(hit: Hit) -> str:
    parts = [f"[green]{escape(term)}[/] {share:.2f}" for term, share in list(hit.parts.items())[:_PARTS]]
    more = [f"[dim]{len(hit.parts) - _PARTS} more[/]"] if len(hit.parts) > _PARTS else []
    vector = [f"[cyan]vector[/] {hit.vector_part:.2f}"] if hit.vector_part else []
    return "  ".join(parts + more + vector)


def short(path: Path) -> str:
    """A path from here where it is below, else whole."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class _Rate(ProgressColumn):
    """Items a second of this run, so that what earlier runs did does not flatter it."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


class Bar:
    """A progress bar with rate, time left and failures. Use as a context manager."""

    def __init__(self, what: str) -> None:
        failures = TextColumn("[red]{task.fields[failures]}[/]")
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(), failures)
        # Where there is no terminal, a bar would leave blank lines in a log.
        self._progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._task = self._progress.add_task(what, total=None, failures="")
        self._failed = 0

    def plan(self, *, total: int, done: int) -> None:
        """See `Progress.plan`."""
        self._progress.reset(self._task, total=total, completed=done, failures="")

    def advance(self, *, encoded: int, failed: int) -> None:
        """See `Progress.advance`."""
        self._failed += failed
        self._progress.update(
            self._task, advance=encoded + failed, failures=f"{self._failed} failed" if self._failed else ""
        )

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
