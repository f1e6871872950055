"""A folder: the pictures and tars below it, sorted, without what is hidden and what devices keep for themselves."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, read_file, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_kinds import is_picture, left_out
from lexel.pipeline.sources.tars.tar_members import is_tar
from lexel.pipeline.sources.tars.webdataset import tar_items


@dataclass(frozen=True)
class _Unreadable:
    """A folder that cannot be listed."""

    path: Path
    error: OSError


def folder_items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    A folder or tar that cannot be read is an item that fails, and the rest is listed. Raises SourceError where `root`
    itself cannot be read.
    """
    for found in _walk(root, notes):
        if isinstance(found, _Unreadable):
            if found.path == root:
                raise SourceError(f"The folder {root} cannot be read: {found.error.strerror}.") from found.error
            yield _failing(found.path, root, found.error)
        elif is_tar(found):
            yield from _tar_items(found, root, notes)
        elif is_picture(found.name):
            yield file_item(found, root)
        else:
            notes.skip(found.name)


def file_item(path: Path, root: Path) -> Item:
    """The item of one picture's file."""
    try:
        size = path.stat().st_size
    except OSError:  # deleted meanwhile, or a dangling link: it is listed, and reading it fails later
        size = 0
    return Item(readable(path.relative_to(root).as_posix()), partial(read_file, path), size=size)


def _tar_items(path: Path, root: Path, notes: ListingNotes) -> Iterator[Item]:
    try:
        yield from tar_items(path, root, notes)
    except SourceError as error:
        yield _failing(path, root, OSError(str(error).rstrip(".")))


def _failing(path: Path, root: Path, error: OSError) -> Item:
    return Item(readable(path.relative_to(root).as_posix()), _raising(error))


def _raising(error: OSError) -> Callable[[], bytes]:
    def content() -> bytes:
        raise OSError(*error.args)

    return content


def _walk(folder: Path, notes: ListingNotes) -> Iterator[Path | _Unreadable]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _Unreadable(folder, error)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if name := left_out([entry.name]):
                notes.folders[name] += 1
            else:
                yield from _walk(Path(entry.path), notes)
        elif not _leads_to_folder(entry):
            yield Path(entry.path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False
