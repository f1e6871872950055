"""Encoder cards as a table."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from lexel.encoders.card import EncoderCard

_UNKNOWN = "[dim]unknown[/]"


def table(cards: Sequence[EncoderCard]) -> Table:
    """A table with one row per encoder."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("name", style="bold", overflow="fold")
    for title in ("size", "vector", "terms"):
        made.add_column(title, justify="right")
    for title in ("licence", "language"):
        made.add_column(title, overflow="fold")
    made.add_column("trained on", overflow="fold", ratio=1)
    for card in cards:
        numbers = (f"{card.size / 1e6:,.0f} MB", f"{card.dim:,}" if card.dim else _UNKNOWN, f"{card.terms:,}")
        texts = (escape(text) if text else _UNKNOWN for text in (card.licence, card.language, card.trained_on))
        made.add_row(escape(card.name), *numbers, *texts)
    return made
