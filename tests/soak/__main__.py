"""`./scripts/soak`: what was tried, and what was lost."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table
from support.repository.parts import parsed, parser

from lexel.pipeline.engine import node_control
from soak.ground import Ground, Tried

PARTS = ("kills", "faults", "nodes", "disk", "two", "sync", "files", "pictures", "sources", "secured", "audit")
WHOLE = 20.0  # minutes


def main() -> int:
    about = "Break things on purpose and see what is lost."
    words = parser("./scripts/soak", about, package="soak", parts=PARTS)
    words.add_argument("--seed", type=int, default=0, help="of all chance")
    words.add_argument("--minutes", type=float, default=WHOLE, help=f"about so long on 2 cores; {WHOLE:g} is all of it")
    options = parsed(words, PARTS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that its nodes end too
    share = min(1.0, options.minutes / WHOLE)
    with _ground(options.seed, share) as ground:
        lines = list(_all(options.parts, ground, until=time.monotonic() + 60 * options.minutes))
    _print(lines, options.seed, share)
    return int(any(tried.lost for _, tried, _ in lines))


@contextmanager
def _ground(seed: int, share: float) -> Iterator[Ground]:
    import torch

    torch.set_num_threads(1)  # as in the processes that are compared with: the sums are equal to the last bit
    os.environ.pop("OPENSEARCH_URL", None)
    folder = Path(tempfile.mkdtemp(prefix="lexel-soak-"))
    folder.chmod(0o755)
    try:
        yield Ground(folder, node_control.start(home=folder / "node"), seed, share)
    finally:
        node_control.stop(folder / "node")
        shutil.rmtree(folder, ignore_errors=True)


def _all(parts: Sequence[str], ground: Ground, *, until: float) -> Iterator[tuple[str, Tried, float]]:
    for part in parts:
        began = time.monotonic()
        if began > until:  # on a machine that has other things to do
            yield part, Tried("not begun, because the time was over", 0, 0, "give it more --minutes", asked=False), 0.0
            continue
        try:
            for tried in import_module(f"soak.parts.{part}").soak(ground):
                seconds, began = time.monotonic() - began, time.monotonic()
                print(f"{part:9} {seconds:6.0f} s  lost {tried.lost} of {tried.times}: {tried.what}", flush=True)
                yield part, tried, seconds
        except Exception as error:
            print(f"{part:9} broke off: {error!r}", flush=True)
            yield part, Tried("broke off", 1, 1, repr(error)[:300]), time.monotonic() - began


def _print(lines: list[tuple[str, Tried, float]], seed: int, share: float) -> None:
    minutes = sum(seconds for *_, seconds in lines) / 60
    table = Table(title=f"seed {seed}, {share:.0%} of a whole soak, {minutes:.1f} minutes", title_justify="left")
    for name in ("part", "tried", "times", "lost", ""):
        table.add_column(name, justify="right" if name in {"times", "lost"} else "left", overflow="fold")
    for part, tried, _ in lines:
        lost = str(tried.lost) if tried.asked else "not asked"
        table.add_row(part, tried.what, f"{tried.times:,}", lost, tried.note, style="red" if tried.lost else None)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
