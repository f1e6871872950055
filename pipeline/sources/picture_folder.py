"""A folder: the pictures and tars below it, sorted, without what is hidden and what devices keep for themselves."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, file_state, read_file, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_kinds import is_picture, left_out
from lexel.pipeline.sources.sidecar import TEXT_KINDS, sidecar
from lexel.pipeline.sources.tars.tar_members import is_tar
from lexel.pipeline.sources.tars.tar_sample import stem_and_kind
from lexel.pipeline.sources.tars.webdataset import tar_items

_TEXTS = tuple(f".{kind}" for kind in TEXT_KINDS)
_NO_TEXTS: Mapping[str, str] = {}


class _Unreadable(NamedTuple):
    """A folder that cannot be listed, by its name below the root."""

    name: str
    error: OSError


class _FoundFile(NamedTuple):
    """A file, its name below the root, and the names of the texts beside it by their kind.

    A path is a string, since a million of `Path` take longer to make than their files to look at.
    """

    path: str
    name: str
    texts: Mapping[str, str]


def folder_items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    A folder or tar that cannot be read is an item that fails, and the rest is listed. A .txt, .cls or .json of the same
    name is a picture's own; where all pictures lie one folder deep, their folder is their label. Raises SourceError
    where `root` itself cannot be read.
    """
    classes = _has_classes(root)
    for found in _walk(str(root), "", notes):
        if isinstance(found, _Unreadable):
            if not found.name:
                raise SourceError(f"The folder {root} cannot be read: {found.error.strerror}.") from found.error
            yield _failing(found.name, found.error)
        elif is_picture(found.name):
            item = _with_texts(file_item(found.path, found.name), found.texts, root, notes)
            in_class = classes and item.label is None
            yield replace(item, label=item.uri.partition("/")[0]) if in_class else item
        elif is_tar(found.name):
            yield from _tar_items(root / found.name, root, notes)
        elif not found.texts:
            notes.skip(found.name.rpartition("/")[2])


def file_item(path: str | Path, name: str) -> Item:
    """The item of one picture's file; `name` is its path below the root."""
    return Item(readable(name), partial(read_file, path), state=partial(file_state, path))


def _with_texts(item: Item, texts: Mapping[str, str], root: Path, notes: ListingNotes) -> Item:
    if not texts:
        return item
    about = sidecar({kind: (name, partial(read_file, root / name)) for kind, name in texts.items()}, notes)
    return replace(item, captions=about.captions, label=about.label, metadata=about.metadata)


def _has_classes(root: Path) -> bool:
    """Whether all pictures lie exactly one folder deep: none in `root`, and no folders in its folders."""
    try:
        top = [entry for entry in os.scandir(root) if not entry.name.startswith(".")]
        folders = [e.path for e in top if e.is_dir(follow_symlinks=False) and not left_out([e.name])]
        loose = any(is_picture(e.name) or is_tar(e.name) for e in top if not e.is_dir(follow_symlinks=False))
        return len(folders) > 1 and not loose and not any(map(_holds_folders, folders))
    except OSError:
        return False


def _holds_folders(folder: str) -> bool:
    return any(
        entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and not left_out([entry.name])
        for entry in list(os.scandir(folder))
    )


def _tar_items(path: Path, root: Path, notes: ListingNotes) -> Iterator[Item]:
    try:
        yield from tar_items(path, root, notes)
    except SourceError as error:
        yield _failing(path.relative_to(root).as_posix(), OSError(str(error).rstrip(".")))


def _failing(name: str, error: OSError) -> Item:
    return Item(readable(name), _raising(error), unlisted=True)


def _raising(error: OSError) -> Callable[[], bytes]:
    def content() -> bytes:
        raise OSError(*error.args)

    return content


def _walk(folder: str, below: str, notes: ListingNotes) -> Iterator[_FoundFile | _Unreadable]:
    """The files of a folder whose name below the root, with a slash at its end, is `below`."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _Unreadable(below.rstrip("/"), error)
        return
    texts = _texts([entry.name for entry in entries], below)
    for entry in entries:
        name = entry.name
        if name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if device := left_out([name]):
                notes.folders[device] += 1
            else:
                yield from _walk(entry.path, f"{below}{name}/", notes)
        elif not (entry.is_symlink() and _leads_to_folder(entry)):
            beside = texts.get(stem_and_kind(name)[0], _NO_TEXTS) if texts else _NO_TEXTS
            yield _FoundFile(entry.path, below + name, beside)


def _texts(names: Sequence[str], below: str) -> dict[str, dict[str, str]]:
    """The texts beside pictures, by the name without its ending and by their kind; as names below the root."""
    parts = [(*stem_and_kind(name), name) for name in names if name.lower().endswith(_TEXTS) and name[0] != "."]
    found: dict[str, dict[str, str]] = {}
    if parts:
        pictures = {stem_and_kind(name)[0] for name in names if is_picture(name)}
        for stem, kind, name in parts:
            if stem in pictures:
                found.setdefault(stem, {})[kind] = below + name
    return found


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False
