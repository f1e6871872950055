"""What all commands print with: answers on standard output, progress and errors on standard error."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

out = Console(highlight=False)
# So that what a command answers can be piped on.
err = Console(stderr=True, highlight=False)


@dataclass
class Verbosity:
    """How much commands say; set once, when the command line is read."""

    verbose: bool = False
    quiet: bool = False


chosen = Verbosity()


def choose(*, verbose: bool, quiet: bool) -> None:
    """Say more (`-v`) or less (`-q`) for the rest of this process; what was chosen before stays chosen."""
    chosen.verbose, chosen.quiet = chosen.verbose or verbose, chosen.quiet or quiet


def say(text: str, *, style: str | None = None) -> None:
    """Print what a job did, unless quiet. Answers, warnings and errors are printed by `out` and `err`."""
    if not chosen.quiet:
        out.print(text, style=style, soft_wrap=True, markup=False)


def warn(text: str) -> None:
    """Print what a person should look at in what a job did, also when quiet."""
    out.print(text, style="yellow", soft_wrap=True, markup=False)


def short(path: Path) -> str:
    """A path from here where it is below, else whole."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def clock(seconds: float) -> str:
    """A time as people say it: "42 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
