"""Summaries of finished jobs."""

from pathlib import Path
from typing import TYPE_CHECKING

from lexel.pipeline.cli.views.changes import changes_in_words
from lexel.pipeline.cli.views.console import chosen, say, short, warn

if TYPE_CHECKING:
    from lexel.pipeline.encode.run import EncodeReport
    from lexel.pipeline.load.load_report import LoadReport


def say_encoded(report: "EncodeReport", out: Path, seconds: float) -> None:
    """Print the counts, the rate and the folder of an encoding job, what its source leaves out, and its failures."""
    rate = f", {report.new / seconds:,.0f} per second" if report.new else ""
    done = f"{report.encoded:,} of {report.items:,} items encoded{earlier(report.items - report.new)}"
    say(f"{done} in {seconds:.1f} s{rate}: {short(out.resolve())}")
    if report.changes.any and report.changes.new < report.items:
        say(f"Since the last run: {changes_in_words(report.changes)}.")
    for sentence in report.notes:
        say(sentence)
    if chosen.verbose and report.computes:
        say(f"The network ran in {report.computes}.")
    warn_failed(report.failed, (out / "failures.parquet").resolve())


def say_loaded(report: "LoadReport", index: str) -> None:
    """What the index holds now, or will hold when the other parts are in, and what other loads left unfinished."""
    if (before := report.replaced) and before.source != report.source:
        now = f"{report.documents:,} of {report.source}"
        warn(f"{index} showed {before.documents:,} documents of {before.source}; it now shows {now}.")
    removed = f", {report.removed:,} removed from it" if report.removed else ""
    sent = f"{report.sent:,} of them sent by this run{removed}"
    if report.missing:
        total = report.documents + report.missing
        say(
            f"{report.documents:,} of {total:,} documents are in the new index of {index}, {sent}. The part that ends "
            f"last switches {index} to it; give a part that broke off again."
        )
    else:
        say(f"{report.documents:,} documents in the index {index}, {sent}")
    _warn_rejected(report)
    if report.unfinished:
        names = ", ".join(report.unfinished)
        warn(f"Unfinished indices of other loads of {index}: {names}. A load a day later removes them.")


def say_loaded_in_place(report: "LoadReport", index: str) -> None:
    """What was sent to an index and removed from it, and what it holds now."""
    say(f"{report.documents:,} documents in the index {index}: {report.sent:,} sent, {report.removed:,} removed")
    _warn_rejected(report)


def _warn_rejected(report: "LoadReport") -> None:
    if report.rejects:
        files = " and ".join(short(path.resolve()) for path in report.rejects)
        why = f"{files} {'says' if len(report.rejects) == 1 else 'say'} why"
        warn(f"{report.rejected:,} more were rejected by OpenSearch: {why}.")


def warn_failed(count: int, why: Path) -> None:
    """Print the number of failed items, and the file with the reasons."""
    if count:
        warn(f"{count:,} failed: see {short(why)}.")


def earlier(count: int) -> str:
    """The number of items done by earlier runs, in parentheses; empty if there are none."""
    return f" ({count:,} by earlier runs)" if count else ""
