"""Search results in a terminal."""

from collections.abc import Mapping

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lexel.pipeline.cli.views.console import out, short
from lexel.pipeline.cli.views.query_words import word_notes
from lexel.pipeline.search.results import Hit, SearchResults, counted
from lexel.pipeline.sources.remote.remote_path import RemotePath

_PARTS = 6
# Of the width, so much may an item take where the parts of its score are beside it.
_BESIDE = 0.45
_MOVED = 10


def results(result: SearchResults) -> None:
    """Print what became of unknown words, those gained and lost, hits, number of matches, facets, and the
    option for the next page.
    """
    for line in word_notes(result.near, result.unknown, result.unbanned, result.offers, result.heard):
        out.print(line, style="dim", markup=False, soft_wrap=True)
    if result.gained:
        out.print(f"[dim]words gained:[/] {_moved(result.gained)}", soft_wrap=True)
    if result.lost:
        out.print(f"[dim]words lost, which count nothing; -word excludes one:[/] {_moved(result.lost)}", soft_wrap=True)
    if result.by_vector_alone and result.hits:
        none = "No word of it is known" if result.unknown else "It has no word to search by"
        out.print(f"{none}. What looks nearest, by the vector alone:")
    if result.hits:
        out.print(hits_table(result))
        out.print(f"[dim]{counted(result)}, {result.took} ms[/]")
    else:
        more = " --no-cutoff shows what looks nearest." if result.by_vector_alone else ""
        out.print(f"Nothing matches. {result.silence}{more}".strip(), soft_wrap=True, markup=False)
    for field, counts in result.facets.items():
        values = "  ".join(f"{escape(str(value))} [dim]{count:,}[/]" for value, count in counts.items())
        out.print(f"[bold]{escape(field)}[/]  {values}")
    if result.next:
        out.print(f"[dim]more: --page {result.next}[/]", soft_wrap=True)


def hits_table(result: SearchResults) -> Table:
    """A table of hits: rank, score, item, and the largest parts of the score, which stand below long items."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right", style="dim")
    table.add_column("score", justify="right", style="bold")
    items = [_what(hit) for hit in result.hits]
    beside = max(item.cell_len for item in items) <= _BESIDE * out.width
    if beside:
        table.add_column("item", no_wrap=True)
        table.add_column("why", overflow="fold")
    else:
        table.add_column("item, why", overflow="fold")
    for rank, (hit, item) in enumerate(zip(result.hits, items, strict=True), 1):
        cells = (item, _why(hit)) if beside else (Group(item, _why(hit)),)
        table.add_row(str(rank), f"{hit.score:.2f}", *cells)
    return table


def weighted(terms: Mapping[str, float], *, limit: int) -> Table:
    """A table of the `limit` largest term weights, with bars."""
    table = Table(box=None, pad_edge=False, show_header=False)
    shown = list(terms.items())[:limit]
    top = max((weight for _, weight in shown), default=1.0)
    for term, weight in shown:
        bar = "━" * max(1, round(24 * weight / top))
        table.add_row(f"[bold]{escape(term)}[/]", f"{weight:.2f}", f"[green]{bar}[/]")
    return table


def _moved(weights: Mapping[str, float]) -> str:
    """The first of these words, with their weights."""
    said = [f"{escape(word)} {weight:+.2f}" for word, weight in list(weights.items())[:_MOVED]]
    more = [f"[dim]{len(weights) - _MOVED} more[/]"] if len(weights) > _MOVED else []
    return "  ".join(said + more)


def _what(hit: Hit) -> Text:
    if hit.text:
        return Text(hit.text)
    if isinstance(hit.path, RemotePath):
        return Text(str(hit.path), style=f"link {hit.path.url}")
    return Text(short(hit.path), style=f"link {hit.path.as_uri()}")


def _why(hit: Hit) -> str:
    parts = [f"[green]{escape(term)}[/] {share:.2f}" for term, share in list(hit.parts.items())[:_PARTS]]
    more = [f"[dim]{len(hit.parts) - _PARTS} more[/]"] if len(hit.parts) > _PARTS else []
    vector = [f"[cyan]vector[/] {hit.vector_part:.2f}"] if hit.vector_part else []
    written = [f"[yellow]{escape(word)}[/] {share:.2f}" for word, share in list(hit.written.items())[:_PARTS]]
    said = ["written:", *written] if written else []
    return "  ".join(parts + more + said + vector)
