"""Checks the folder that a new encoder is written to."""

from pathlib import Path

from lexel.pipeline.errors import ConfigError


def check(out: Path) -> None:
    """Raise ConfigError unless `out` does not exist, is empty, or has an encoder that may be replaced."""
    if out.exists() and not (out / "lexel.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already and holds no encoder; give another folder for the new one.")
