"""A program of several parts, each a module of one package: its command line."""

import argparse
from collections.abc import Sequence
from importlib import import_module


def parser(
    prog: str, about: str, *, package: str, parts: Sequence[str], more: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Takes the names of some of `parts` and `more`, and says in its help what each does."""
    words = argparse.ArgumentParser(
        prog=prog,
        description=about,
        epilog="\n".join(f"{part:9} {doc(package, part)}" for part in (*parts, *more)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = f"{', '.join(parts)}; all of them by default" + f". {', '.join(more)} only by name" * bool(more)
    words.add_argument("parts", nargs="*", metavar="PART", help=known)
    return words


def parsed(words: argparse.ArgumentParser, parts: Sequence[str], more: Sequence[str] = ()) -> argparse.Namespace:
    """What was asked for, by default `parts`, `more` being the others; ends the program where that makes no sense."""
    options = words.parse_args()
    if strangers := set(options.parts) - {*parts, *more}:
        words.error(f"there is no part {', '.join(sorted(strangers))}; choose {', '.join((*parts, *more))}")
    options.parts = options.parts or list(parts)
    return options


def doc(package: str, part: str) -> str:
    """What a part says of itself in its first line."""
    return (import_module(f"{package}.parts.{part}").__doc__ or "").partition("\n")[0]
