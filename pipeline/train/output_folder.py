"""The folder of a new encoder: there whole, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lexel.pipeline.errors import ConfigError


def check(out: Path) -> None:
    """Make sure that an encoder may be written to `out`: nothing is there, or an older encoder. Raises ConfigError."""
    if out.exists() and not (out / "lexel.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already and holds no encoder; give another folder for the new one.")


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A new folder to write; it takes the place of `out`, with all that was in it, when it is whole."""
    out = out.resolve()
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for left in (new, old):  # by a killed run
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
        if out.exists():
            out.replace(old)
        new.replace(out)
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
