"""What a finished job says of itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from lexel.pipeline.cli.views.console import say, short, warn

if TYPE_CHECKING:
    from lexel.pipeline.encode.run import EncodeReport
    from lexel.pipeline.load.run import LoadReport


def say_encoded(report: "EncodeReport", out: Path, seconds: float) -> None:
    """What was encoded, how fast, where to; what was left out, and what failed."""
    rate = f", {report.new / seconds:,.0f} a second" if report.new else ""
    done = f"{report.encoded:,} of {report.items:,} items encoded{earlier(report.items - report.new)}"
    say(f"{done} in {seconds:.1f} s{rate}: {short(out.resolve())}")
    for sentence in report.notes:
        say(sentence)
    warn_failed(report.failed, (out / "failures.parquet").resolve())


def say_loaded(report: "LoadReport", index: str) -> None:
    """What the index holds now, and what other loads left unfinished."""
    say(f"{report.documents:,} documents in the index {index}, {report.sent:,} of them sent by this run")
    if report.unfinished:
        names = ", ".join(report.unfinished)
        warn(f"Not finished by another load of {index}: {names}. A load of a day later removes what is still there.")


def warn_failed(count: int, why: Path) -> None:
    """How many items failed, and the file that says why."""
    if count:
        warn(f"{count:,} failed: {short(why)} says why.")


def earlier(count: int) -> str:
    """What earlier runs of the same job had done."""
    return f" ({count:,} by earlier runs)" if count else ""
