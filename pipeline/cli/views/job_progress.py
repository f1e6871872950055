"""The progress of jobs: a bar on a terminal, else a line now and then; with `-v` also the time of each step."""

import time
from types import TracebackType
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from lexel.pipeline.cli.views.console import chosen, clock, err
from lexel.pipeline.timings import spent

# Without a terminal, a line is printed this often.
SECONDS_BETWEEN_LINES = 30.0
_WORDS = {
    "reading": "reading",
    "decoding": "decoding",
    "network": "network",
    "writing": "writing",
    "cluster": "waiting for the cluster",
}


class _Rate(ProgressColumn):
    """Items per second of this run, without those of earlier runs."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


class _Display(Protocol):
    """Displays progress."""

    def plan(self, total: int, done: int) -> None: ...
    def advance(self, count: int, failed: int) -> None: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...


class _TerminalBar:
    """A bar on a terminal."""

    def __init__(self, what: str) -> None:
        failures = TextColumn("[red]{task.fields[failures]}[/]")
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(), failures)
        self._progress = Progress(*columns, console=err, transient=True)
        self._task = self._progress.add_task(what, total=None, failures="")
        self.begin, self.end = self._progress.start, self._progress.stop

    def plan(self, total: int, done: int) -> None:
        self._progress.reset(self._task, total=total, completed=done, failures="")

    def advance(self, count: int, failed: int) -> None:
        self._progress.update(self._task, advance=count, failures=f"{failed} failed" if failed else "")


class _Lines:
    """A line now and then, for logs."""

    def __init__(self, what: str) -> None:
        self._what, self._total, self._earlier, self._done = what, 0, 0, 0
        self._began = self._printed = time.monotonic()

    def plan(self, total: int, done: int) -> None:
        self._total, self._earlier, self._done = total, done, done
        self._began = self._printed = time.monotonic()

    def advance(self, count: int, failed: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = now
            err.print(self._line(now - self._began, failed), soft_wrap=True, markup=False)

    def _line(self, seconds: float, failed: int) -> str:
        rate = (self._done - self._earlier) / seconds
        left = f", {clock((self._total - self._done) / rate)} left" if rate else ""
        share = f" ({100 * self._done / self._total:.0f} %)" if self._total else ""
        bad = f", {failed:,} failed" if failed else ""
        return f"{self._what}: {self._done:,} of {self._total:,}{share}, {rate:,.1f}/s{left}{bad}"

    def begin(self) -> None:
        pass

    def end(self) -> None:
        pass


class _Hidden:
    """No output, for `-q`."""

    def plan(self, total: int, done: int) -> None:
        pass

    def advance(self, count: int, failed: int) -> None:
        pass

    begin = end = lambda self: None


class Bar:
    """A job's progress: a bar with rate, time left and failures on a terminal, else a line every 30 seconds.

    With `-v`, the time of each step is printed at the end. Use as a context manager.
    """

    def __init__(self, what: str) -> None:
        self._what, self._failed, self._before = what, 0, spent()
        self._display: _Display = _Hidden() if chosen.quiet else (_TerminalBar if err.is_terminal else _Lines)(what)

    def plan(self, *, total: int, done: int) -> None:
        """See `Progress.plan`."""
        self._display.plan(total, done)

    def advance(self, *, encoded: int, failed: int) -> None:
        """See `Progress.advance`."""
        self._failed += failed
        self._display.advance(encoded + failed, self._failed)

    def __enter__(self) -> "Bar":
        self._began = time.monotonic()
        self._display.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.end()
        if chosen.verbose:
            err.print(self._step_times(), soft_wrap=True, markup=False)

    def _step_times(self) -> str:
        steps = {step: seconds - self._before.get(step, 0.0) for step, seconds in spent().items()}
        parts = [f"{_WORDS[step]} {seconds:.1f} s" for step, seconds in steps.items() if seconds > 0]
        steps_text = f"; by step, over all threads: {', '.join(parts)}" if parts else ""
        return f"{self._what}: {time.monotonic() - self._began:.1f} s{steps_text}"
