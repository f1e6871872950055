"""What all commands print with: standard output, standard error, and a bar of progress."""

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

out = Console(highlight=False)


# Progress and errors go to standard error, so that what a command answers can be piped on.
err = Console(stderr=True, highlight=False)


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
