"""The file that a table names: relative to the table, absolute or as file://, however its accents are spelled."""

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lexel.pipeline.sources.item import FileState, file_state, read_file
from lexel.pipeline.sources.remote.remote_path import RemoteBytes, RemotePath, is_address


@dataclass(frozen=True)
class NamedPicture:
    """The picture that a table in the folder `root` calls `uri`; a call reads its bytes."""

    root: Path
    uri: str

    def __call__(self) -> bytes:
        """The bytes. Raises OSError where they cannot be read."""
        return read_file(picture_path(self.root, self.uri))

    def state(self) -> FileState:
        """The state of its file. Raises OSError."""
        try:  # as it is spelled, which is nearly always right and costs one question
            about = os.stat(os.path.join(self.root, self.uri))
        except (OSError, ValueError):
            return file_state(picture_path(self.root, self.uri))
        return FileState(about.st_size, about.st_mtime_ns)


def named_picture(root: Path | RemotePath, uri: str) -> NamedPicture | RemoteBytes:
    """The picture that a table in `root` calls `uri`: an address, or a path. A table elsewhere names no file here."""
    if is_address(uri):
        return RemoteBytes(uri)
    if isinstance(root, Path):
        return NamedPicture(root, uri)
    on_windows = root.named(uri.replace("\\", "/")).url if "\\" in uri else None
    return RemoteBytes(root.named(uri).url, otherwise=on_windows)


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
    raise OSError(f"{address.scheme or 'such'} addresses are not files of this machine")


def existing_spelling(path: Path) -> Path:
    """`path`, or the same name with its accents as letters of their own (NFD) or not (NFC), where that is there."""
    if path.exists() or str(path).isascii():
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        forms = (part, unicodedata.normalize("NFC", part), unicodedata.normalize("NFD", part))
        found = next((found / form for form in forms if (found / form).exists()), found / part)
    return found if found.exists() else path
