"""Explanations and comparisons in a terminal."""

from collections.abc import Iterable

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lexel.pipeline.cli.views.query_words import word_notes
from lexel.pipeline.explain.comparison import ItemComparison
from lexel.pipeline.explain.score_parts import Explanation

_BAR = 24
# Further terms add little each, and are summed in one line.
_SHOWN = 16


def explanation(found: Explanation) -> Group:
    """The parts of an item's score as bars, then missing terms and unknown words."""
    rows = [(part.term, part.share, f"{part.asked:.3g} x {part.stored:.2f}") for part in found.parts[:_SHOWN]]
    if rest := found.parts[_SHOWN:]:
        rows.append((f"{len(rest)} more", sum(part.share for part in rest), ""))
    rows += [(word, share, "written by people") for word, share in list(found.written.items())[:_SHOWN]]
    if found.vector_part is not None:
        rows.append(("vector", found.vector_part, f"cosine {found.cosine:.3f}"))
    return Group(_title(found.item.uri, found.score), _bars(rows, less=found.typical or 0.0), *_notes(found))


def _notes(found: Explanation) -> Iterable[Text]:
    if found.typical is not None:
        yield Text(f"The vector gives the typical item of this collection {found.typical:.2f}.", style="dim")
    if found.missing:
        yield Text(f"missing: {', '.join(found.missing)}", style="yellow")
    for line in word_notes(found.near, found.unknown, found.unbanned, found.offers):
        yield Text(line, style="dim")
    if not found.matches:
        yield Text(
            "It is not among the results: it shares no term with the query and does not look near enough, or a filter, "
            "a +word or a -word excludes it.",
            style="yellow",
        )


def comparison(found: ItemComparison) -> Group:
    """The differences of two items' scores, and the query that would swap them."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", "above", "below", ""):
        table.add_column(title, justify="left" if not title else "right")
    named = [(one.term, one) for one in found.terms[:_SHOWN]]
    for name, one in [*named, *((f"{one.term}, written by people", one) for one in found.written[:_SHOWN])]:
        style = "green" if one.share > 0 else "red"
        table.add_row(escape(name), f"{one.above:.2f}", f"{one.below:.2f}", f"[{style}]{one.share:+.2f}[/]")
    if found.vector:
        style = "green" if found.vector > 0 else "red"
        table.add_row("[cyan]vector[/]", "", "", f"[{style}]{found.vector:+.2f}[/]")
    titles = [_title(item.uri, one) for item, one in zip((found.above, found.below), found.scores, strict=True)]
    way = f"A query that swaps them: {found.swap}" if found.swap else "No small change of the query swaps them."
    return Group(*titles, table, Text(way))


def _title(uri: str, score: float) -> Text:
    return Text.assemble((f"{score:.2f}", "bold"), f"  {uri}")


def _bars(rows: Iterable[tuple[str, float, str]], *, less: float) -> Table:
    """Rows of name, share and reason; the vector's bar is of what it gives beyond `less`."""
    shown = list(rows)
    lengths = [share - less * (name == "vector") for name, share, _ in shown]
    top = max([*lengths, 0.0]) or 1.0
    table = Table(box=None, pad_edge=False, show_header=False)
    for (name, share, why), length in zip(shown, lengths, strict=True):
        colour = "cyan" if name == "vector" else "green"
        bar = "━" * max(1, round(_BAR * length / top))
        table.add_row(f"[bold]{escape(name)}[/]", f"{share:.2f}", f"[{colour}]{bar}[/]", f"[dim]{why}[/]")
    return table
