"""The output of commands: results on standard output, progress and errors on standard error."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

out = Console(highlight=False)
# Separate, so that results can be piped.
err = Console(stderr=True, highlight=False)


@dataclass
class Verbosity:
    """How much commands print; set when the command line is parsed."""

    verbose: bool = False
    quiet: bool = False


chosen = Verbosity()


def choose(*, verbose: bool, quiet: bool) -> None:
    """Set verbose (`-v`) or quiet (`-q`) for the rest of the process; neither is unset."""
    chosen.verbose, chosen.quiet = chosen.verbose or verbose, chosen.quiet or quiet


def say(text: str, *, style: str | None = None) -> None:
    """Print the summary of a job, unless quiet. Results and errors are printed with `out` and `err` instead."""
    if not chosen.quiet:
        out.print(text, style=style, soft_wrap=True, markup=False)


def warn(text: str) -> None:
    """Print a warning about a job, also when quiet."""
    out.print(text, style="yellow", soft_wrap=True, markup=False)


def short(path: Path) -> str:
    """The path relative to the working directory if it is below it, else unchanged."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def clock(seconds: float) -> str:
    """A duration as text: "42 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
