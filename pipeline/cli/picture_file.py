"""Reads an image file given on the command line."""

from pathlib import Path

from lexel.pipeline.errors import SourceError


def read_picture(path: Path) -> bytes:
    """The contents of the file. Raises SourceError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The image {path} cannot be read: {error.strerror}.") from error
