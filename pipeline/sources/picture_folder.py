"""A folder: the pictures and tars below it, sorted, without what is hidden and what devices keep for themselves."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, read_file, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_kinds import is_picture, left_out
from lexel.pipeline.sources.sidecar import TEXT_KINDS, sidecar
from lexel.pipeline.sources.tars.tar_members import is_tar
from lexel.pipeline.sources.tars.tar_sample import stem_and_kind
from lexel.pipeline.sources.tars.webdataset import tar_items


@dataclass(frozen=True)
class _Unreadable:
    """A folder that cannot be listed."""

    path: Path
    error: OSError


@dataclass(frozen=True)
class _FoundFile:
    """A file, and the texts of the same name beside it by their kind."""

    path: Path
    texts: Mapping[str, Path]


def folder_items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    A folder or tar that cannot be read is an item that fails, and the rest is listed. A .txt, .cls or .json of the same
    name is a picture's own; where all pictures lie one folder deep, their folder is their label. Raises SourceError
    where `root` itself cannot be read.
    """
    classes = _has_classes(root)
    for found in _walk(root, notes):
        if isinstance(found, _Unreadable):
            if found.path == root:
                raise SourceError(f"The folder {root} cannot be read: {found.error.strerror}.") from found.error
            yield failing(found.path, root, found.error)
        elif is_tar(found.path):
            yield from items_of_tar(found.path, root, notes)
        elif is_picture(found.path.name):
            item = _with_texts(file_item(found.path, root), found.texts, root, notes)
            in_class = classes and item.label is None
            yield replace(item, label=item.uri.partition("/")[0], label_of_folder=True) if in_class else item
        elif not found.texts:
            notes.skip(found.path.name)


def file_item(path: Path, root: Path) -> Item:
    """The item of one picture's file."""
    try:
        size = path.stat().st_size
    except OSError:  # deleted meanwhile, or a dangling link: it is listed, and reading it fails later
        size = 0
    return Item(readable(path.relative_to(root).as_posix()), partial(read_file, path), size=size)


def _with_texts(item: Item, texts: Mapping[str, Path], root: Path, notes: ListingNotes) -> Item:
    if not texts:
        return item
    named = {kind: (path.relative_to(root).as_posix(), partial(read_file, path)) for kind, path in texts.items()}
    about = sidecar(named, notes)
    return replace(item, captions=about.captions, label=about.label, metadata=about.metadata)


def _has_classes(root: Path) -> bool:
    """Whether all pictures lie exactly one folder deep: none in `root`, and no folders in its folders."""
    try:
        top = [entry for entry in os.scandir(root) if not entry.name.startswith(".")]
        folders = [e.path for e in top if e.is_dir(follow_symlinks=False) and not left_out([e.name])]
        loose = any(is_picture(e.name) or is_tar(Path(e.name)) for e in top if not e.is_dir(follow_symlinks=False))
        return len(folders) > 1 and not loose and not any(map(_holds_folders, folders))
    except OSError:
        return False


def _holds_folders(folder: str) -> bool:
    return any(
        entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and not left_out([entry.name])
        for entry in list(os.scandir(folder))
    )


def items_of_tar(path: Path, root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The samples of a tar among others; a broken one is an item that fails."""
    try:
        yield from tar_items(path, root, notes)
    except SourceError as error:
        yield failing(path, root, OSError(str(error).rstrip(".")))


def failing(path: Path, root: Path, error: OSError) -> Item:
    """The item of a folder or archive that cannot be read: it is listed, and fails with this error."""
    return Item(readable(path.relative_to(root).as_posix()), _raising(error))


def _raising(error: OSError) -> Callable[[], bytes]:
    def content() -> bytes:
        raise OSError(*error.args)

    return content


def _walk(folder: Path, notes: ListingNotes) -> Iterator[_FoundFile | _Unreadable]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _Unreadable(folder, error)
        return
    texts = _texts(entry.name for entry in entries)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if name := left_out([entry.name]):
                notes.folders[name] += 1
            else:
                yield from _walk(Path(entry.path), notes)
        elif not _leads_to_folder(entry):
            beside = texts.get(stem_and_kind(entry.name)[0], {})
            yield _FoundFile(Path(entry.path), {kind: folder / name for kind, name in beside.items()})


def _texts(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The texts beside pictures, by the name without its ending and by their kind."""
    parts = {name: stem_and_kind(name) for name in names if not name.startswith(".")}
    found: dict[str, dict[str, str]] = {parts[name][0]: {} for name in parts if is_picture(name)}
    for name, (stem, kind) in parts.items():
        if kind in TEXT_KINDS and stem in found:
            found[stem][kind] = name
    return found


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False
