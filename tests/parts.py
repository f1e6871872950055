"""A program of several parts, each a module of one package: its command line."""

import argparse
from collections.abc import Sequence
from importlib import import_module


def parser(prog: str, about: str, *, package: str, parts: Sequence[str]) -> argparse.ArgumentParser:
    """Takes the names of some of `parts`, and says in its help what each does."""
    words = argparse.ArgumentParser(
        prog=prog,
        description=about,
        epilog="\n".join(f"{part:9} {doc(package, part)}" for part in parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all of them by default")
    return words


def parsed(words: argparse.ArgumentParser, parts: Sequence[str]) -> argparse.Namespace:
    """What was asked for, `parts` being all that there are; ends the program where that makes no sense."""
    options = words.parse_args()
    if strangers := set(options.parts) - set(parts):
        words.error(f"there is no part {', '.join(sorted(strangers))}; choose {', '.join(parts)}")
    options.parts = options.parts or list(parts)
    return options


def doc(package: str, part: str) -> str:
    """What a part says of itself in its first line."""
    return (import_module(f"{package}.{part}").__doc__ or "").partition("\n")[0]
