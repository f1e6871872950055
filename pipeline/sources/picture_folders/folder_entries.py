"""What is in a folder, on this machine or elsewhere."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lexel.pipeline.sources.item import FileState, file_state, read_file
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.remote_path import Place, RemoteBytes, RemotePath

# A path here is a string, since a million of `Path` take longer to make than their files to look at.
FilePlace = str | RemotePath


class FolderEntry(NamedTuple):
    """A file or folder; `state` is that of a file elsewhere, where listing the folder says it."""

    name: str
    path: FilePlace
    is_folder: bool
    state: FileState | None = None


def folder_entries(folder: FilePlace) -> list[FolderEntry]:
    """The files and folders, sorted by name, without links to folders, which can form a cycle. Raises OSError."""
    if isinstance(folder, RemotePath):
        return [FolderEntry(e.name, folder / e.name, e.is_folder, e.state) for e in file_systems.entries(folder.url)]
    with os.scandir(folder) as found:
        there = sorted(found, key=lambda entry: entry.name)
    kinds = ((entry, entry.is_dir(follow_symlinks=False)) for entry in there)
    return [
        FolderEntry(entry.name, entry.path, is_folder)
        for entry, is_folder in kinds
        if is_folder or not (entry.is_symlink() and _leads_to_folder(entry))
    ]


def folder_names(folder: FilePlace) -> Iterator[str]:
    """The names of the folders in it, in any order: less to do than `folder_entries`. Raises OSError."""
    if isinstance(folder, RemotePath):
        yield from (entry.name for entry in file_systems.entries(folder.url) if entry.is_folder)
        return
    with os.scandir(folder) as found:
        yield from (entry.name for entry in found if entry.is_dir(follow_symlinks=False))


def file_place(place: Place) -> FilePlace:
    """A place as folders are listed by."""
    return str(place) if isinstance(place, Path) else place


def reader(path: FilePlace) -> Callable[[], bytes]:
    """A function that reads a file."""
    return RemoteBytes(path.url) if isinstance(path, RemotePath) else partial(read_file, path)


def state_of(path: FilePlace, listed: FileState | None = None) -> Callable[[], FileState | None]:
    """A function that says the state of a file; of one elsewhere it is what its folder says."""
    return (lambda: listed) if isinstance(path, RemotePath) else partial(file_state, path)


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False
