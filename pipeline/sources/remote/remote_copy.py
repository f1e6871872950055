"""Tables and texts elsewhere are fetched once for a process, so that every listing of them is of the same bytes."""

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.remote_path import RemotePath


def is_remote_folder(place: RemotePath) -> bool:
    """Whether there is a folder. Raises SourceError where that cannot be found out."""
    try:
        return file_systems.is_folder(place.url)
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {str(error).rstrip('.')}.") from error


def local_copy(place: RemotePath) -> Path:
    """A file of this process's own, of the same name. Raises SourceError where the file cannot be fetched."""
    folder = Path(tempfile.mkdtemp(dir=_own_folder()))
    copy = folder / (place.name or "index")
    try:
        file_systems.download(place.url, copy)
    except FileNotFoundError as error:
        raise SourceError(f"There is nothing at {place}: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {str(error).rstrip('.')}.") from error
    return copy


@lru_cache(maxsize=1)
def _own_folder() -> str:
    made = tempfile.mkdtemp(prefix="lexel-remote-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
