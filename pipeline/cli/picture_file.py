"""Reads an image file given on the command line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.images.decode import BadImageError


def read_picture(path: Path) -> bytes:
    """The contents of the file. Raises SourceError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The image {path} cannot be read: {error.strerror}.") from error


@contextmanager
def naming(paths: Sequence[Path]) -> Iterator[None]:
    """Turn a BadImageError into a SourceError that names the files."""
    try:
        yield
    except BadImageError as error:
        raise SourceError(f"{', '.join(map(str, paths))} cannot be used as an image ({error}).") from error
