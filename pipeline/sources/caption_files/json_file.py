"""A caption file in JSON, which is read whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.text_encoding import decoded
from lexel.pipeline.sources.values import json_value

# So much of a file shows what it is.
_START = 1 << 16


def starts_with(path: Path, *words: str) -> bool:
    """Whether a JSON file has all these words near its start."""
    if path.suffix.lower() != ".json":
        return False
    with path.open("rb") as file:
        start = file.read(_START)
    return all(word.encode() in start for word in words)


@contextmanager
def json_file(path: Path) -> Iterator[Any]:
    """The content of a file. Raises SourceError where it is not JSON, or lacks what is then looked for in it."""
    try:
        yield json_value(decoded(path.read_bytes()))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise SourceError(f"{path.name} is not of the form that its names promise: {error!r} is not there.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path.name} cannot be read as json: {str(error).rstrip('.')}.") from error
