"""The file that a table names: relative to the table, absolute or as file://, however its accents are spelled."""

import os
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lexel.pipeline.sources.item import FileState, file_state, read_file


def read_picture(root: Path, uri: str) -> bytes:
    """The bytes of the picture that `uri` names. Raises OSError."""
    return read_file(picture_path(root, uri))


def picture_state(root: Path, uri: str) -> FileState:
    """The state of the file that `uri` names. Raises OSError."""
    try:  # as it is spelled, which is nearly always right and costs one question
        about = os.stat(os.path.join(root, uri))
    except (OSError, ValueError):
        return file_state(picture_path(root, uri))
    return FileState(about.st_size, about.st_mtime_ns)


def picture_path(root: Path, uri: str) -> Path:
    """The path of `uri`, relative to `root`. Raises OSError for an address on the network."""
    if "://" in uri:
        return _local(uri)
    path = existing_spelling(root / Path(uri).expanduser())
    if "\\" in uri and not path.exists():  # written on Windows
        return existing_spelling(root / uri.replace("\\", "/"))
    return path


def _local(uri: str) -> Path:
    address = urlsplit(uri)
    if address.scheme.lower() == "file" and address.netloc.lower() in {"", "localhost"}:
        return existing_spelling(Path(url2pathname(address.path)))
    raise OSError(
        f"{address.scheme or 'such'} addresses are not fetched; download the pictures first (img2dataset does it well)"
    )


def existing_spelling(path: Path) -> Path:
    """`path`, or the same name with its accents as letters of their own (NFD) or not (NFC), where that is there."""
    if path.exists() or str(path).isascii():
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        forms = (part, unicodedata.normalize("NFC", part), unicodedata.normalize("NFD", part))
        found = next((found / form for form in forms if (found / form).exists()), found / part)
    return found if found.exists() else path
