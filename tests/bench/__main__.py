"""`./scripts/bench`: how fast, beside the best that it could be here."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table
from support.repository.parts import doc, parsed, parser

from bench.figure import Figure, absent
from bench.machine import machine

PARTS = ("encode", "many", "load", "sync", "search", "growth")
# A quarter of an hour by itself, on two cores; and what needs a GPU, some minutes there.
MORE = ("million", "gpu")
Lines = dict[str, list[Figure]]


def main() -> int:
    about = "Measure speed and scale beside their ceilings."
    words = parser("./scripts/bench", about, package="bench", parts=PARTS, more=MORE)
    words.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    words.add_argument("--quick", action="store_true", help="tiny sizes: shows that all runs, measures nothing")
    options = parsed(words, PARTS, MORE)
    here, began, console = machine(), time.monotonic(), Console(width=None if sys.stdout.isatty() else 160)
    console.print(f"{here}{', quick: these are no measurements' * options.quick}", highlight=False)
    lines: Lines = {}
    for part in options.parts:
        started = time.monotonic()
        lines[part] = []
        for figure in measured(part, quick=options.quick):
            lines[part].append(figure)
            print(f"{part}: {figure.name} {_number(figure.value)} {figure.unit}", file=sys.stderr, flush=True)
        console.print(table(part, lines[part], seconds=time.monotonic() - started))
        if options.json:  # after each part, so that what broke off later loses nothing
            about = {"machine": asdict(here), "quick": options.quick, "seconds": time.monotonic() - began}
            options.json.write_text(json.dumps(about | {"parts": _plain(lines)}, indent=1) + "\n", encoding="utf-8")
    return int(any(figure.unit == "error" for figures in lines.values() for figure in figures))


def measured(part: str, *, quick: bool) -> Iterator[Figure]:
    """The figures of a part; one that breaks off says so in a last one."""
    try:
        yield from import_module(f"bench.parts.{part}").run(quick)
    except Exception as error:
        yield absent("broke off", "error", f"{type(error).__name__}: {error}"[:300])


def table(part: str, figures: Iterable[Figure], *, seconds: float) -> Table:
    """As a person reads it; red is what falls short."""
    found = Table(title=f"{part}: {doc('bench', part)} ({seconds:.0f} s)", title_justify="left")
    for name in ("figure", "value", "unit", "ceiling", "ratio", "wanted", ""):
        found.add_column(name, justify="right" if name in {"value", "ceiling", "ratio"} else "left", overflow="fold")
    for one in figures:
        numbers = [_number(one.value), one.unit, _number(one.ceiling), _number(one.ratio), one.wanted or "", one.note]
        found.add_row(one.name, *numbers, style="red" if one.met is False or one.unit == "error" else None)
    return found


def _plain(lines: Lines) -> dict[str, list[dict[str, object]]]:
    return {part: [asdict(one) | {"met": one.met} for one in figures] for part, figures in lines.items()}


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
