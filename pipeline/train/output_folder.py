"""Where a new encoder may be written."""

from pathlib import Path

from lexel.pipeline.errors import ConfigError


def check(out: Path) -> None:
    """Make sure that an encoder may be written to `out`: nothing is there, or an older encoder. Raises ConfigError."""
    if out.exists() and not (out / "lexel.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already and holds no encoder; give another folder for the new one.")
