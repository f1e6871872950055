"""What is in a folder, on this machine or elsewhere."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lexel.pipeline.sources.item import read_file
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.remote_path import Place, RemoteBytes, RemotePath


@dataclass(frozen=True)
class FolderEntry:
    """A file or folder; `size` in bytes where listing the folder says it."""

    name: str
    path: Place
    is_folder: bool
    size: int | None = None


def folder_entries(folder: Place) -> list[FolderEntry]:
    """The files and folders, sorted by name, without links to folders, which can form a cycle. Raises OSError."""
    if isinstance(folder, RemotePath):
        return [FolderEntry(e.name, folder / e.name, e.is_folder, e.size) for e in file_systems.entries(folder.url)]
    found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    kinds = ((entry, entry.is_dir(follow_symlinks=False)) for entry in found)
    return [
        FolderEntry(entry.name, folder / entry.name, is_folder)
        for entry, is_folder in kinds
        if is_folder or not _leads_to_folder(entry)
    ]


def reader(path: Place) -> Callable[[], bytes]:
    """A function that reads a file."""
    return RemoteBytes(path.url) if isinstance(path, RemotePath) else partial(read_file, path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False
