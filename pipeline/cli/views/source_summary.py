"""What lexel makes of a source, in a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lexel.pipeline.sources.source_overview import ListedItem, SourceOverview

# More of a caption or of an example tells nobody more.
_LONGEST = 200


def summary(found: SourceOverview) -> Group:
    """The kind and counts, a table of the columns, the first items, and what is left out."""
    parts: list[RenderableType] = [_head(found)]
    if found.columns:
        parts += ["", _columns(found)]
    for item in found.first:
        parts += ["", *_item(item)]
    parts += [Text(sentence, style="yellow") for sentence in ("", *found.notes) if found.notes]
    return Group(*parts)


def _head(found: SourceOverview) -> Text:
    head = Text(f"{found.kind[:1].upper()}{found.kind[1:]}", style="bold")
    captions = f", {found.captions:,} caption{'s' * (found.captions != 1)}" if found.captions else ""
    return head.append(f": {found.items:,} item{'s' * (found.items != 1)}{captions}", style="not bold")


def _columns(found: SourceOverview) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    # Only the example is cut where the line is too short: a table gives way where it can first.
    table.add_column("column", style="bold", overflow="fold", min_width=min(24, max(6, _longest(found))))
    table.add_column("type", no_wrap=True, min_width=12)
    table.add_column("items", justify="right", no_wrap=True, min_width=len(f"{found.items:,}"))
    table.add_column("for example", overflow="ellipsis", no_wrap=True, ratio=1)
    for column in found.columns:
        table.add_row(Text(column.name), column.kind, f"{column.items:,}", _short(column.example))
    return table


def _longest(found: SourceOverview) -> int:
    return max((len(column.name) for column in found.columns), default=0)


def _item(item: ListedItem) -> list[Text]:
    lines = [Text(item.uri, style="bold")]
    if item.failure is not None:
        lines[0].append(f"  cannot be read: {item.failure}", style="not bold red")
    elif item.size is not None:
        lines[0].append(f"  {item.size:,} bytes", style="not bold dim")
    said = [item.text] if item.text is not None else list(item.captions)
    lines += [Text("  ").append(_short(text)) for text in said]
    about = {**({"label": item.label} if item.label is not None else {}), **item.metadata}
    if about:
        values = ", ".join(f"{name}: {value}" for name, value in about.items())
        lines.append(Text("  ", style="dim").append(_short(values)))
    return lines


def _short(text: str) -> Text:
    plain = " ".join(text.split())
    return Text(plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…")
