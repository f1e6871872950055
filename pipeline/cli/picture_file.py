"""A picture that is named on the command line."""

from pathlib import Path

from lexel.pipeline.errors import SourceError


def read_picture(path: Path) -> bytes:
    """The bytes of the file. Raises SourceError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The picture {path} cannot be read: {error.strerror}.") from error
