"""A folder: the pictures and tars below it, sorted, without what is hidden and what devices keep for themselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.iterators import prefetch
from lexel.pipeline.sources.item import Item, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folders.folder_entries import folder_entries, reader
from lexel.pipeline.sources.picture_kinds import is_picture, left_out
from lexel.pipeline.sources.remote.remote_path import Place, RemotePath, relative
from lexel.pipeline.sources.sidecar import TEXT_KINDS, sidecar
from lexel.pipeline.sources.tars.tar_members import is_tar
from lexel.pipeline.sources.tars.tar_sample import stem_and_kind
from lexel.pipeline.sources.tars.webdataset import tar_items

# Texts beside pictures that are elsewhere are fetched by so many threads, for so many pictures ahead.
_THREADS, _AHEAD = 16, 64
_Reader = Callable[[], bytes]


@dataclass(frozen=True)
class _Unreadable:
    """A folder that cannot be listed."""

    path: Place
    error: OSError


@dataclass(frozen=True)
class _FoundFile:
    """A file, and the texts of the same name beside it by their kind, each with what reads it."""

    path: Place
    size: int | None
    texts: Mapping[str, tuple[Place, _Reader]]


def folder_items(root: Place, notes: ListingNotes) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    A folder or tar that cannot be read is an item that fails, and the rest is listed. A .txt, .cls or .json of the same
    name is a picture's own; where all pictures lie one folder deep, their folder is their label. Raises SourceError
    where `root` itself cannot be read.
    """
    classes = _has_classes(root)
    walked = _walk(root, notes)
    for found in _texts_ahead(walked) if isinstance(root, RemotePath) else walked:
        if isinstance(found, _Unreadable):
            if found.path == root:
                why = found.error.strerror or str(found.error).rstrip(".")
                raise SourceError(f"The folder {root} cannot be read: {why}.") from found.error
            yield failing(found.path, root, found.error)
        elif is_tar(found.path):
            yield from items_of_tar(found.path, root, notes)
        elif is_picture(found.path.name):
            item = _with_texts(file_item(found.path, root, size=found.size), found.texts, root, notes)
            in_class = classes and item.label is None
            yield replace(item, label=item.uri.partition("/")[0], label_of_folder=True) if in_class else item
        elif not found.texts:
            notes.skip(found.path.name)


def file_item(path: Place, root: Place, *, size: int | None = None) -> Item:
    """The item of one picture's file."""
    return Item(readable(relative(path, root)), reader(path), size=_size(path) if size is None else size)


def _size(path: Place) -> int:
    try:
        return path.stat().st_size if isinstance(path, Path) else 0
    except OSError:  # deleted meanwhile, or a dangling link: it is listed, and reading it fails later
        return 0


def _with_texts(item: Item, texts: Mapping[str, tuple[Place, _Reader]], root: Place, notes: ListingNotes) -> Item:
    if not texts:
        return item
    about = sidecar({kind: (relative(path, root), read) for kind, (path, read) in texts.items()}, notes)
    return replace(item, captions=about.captions, label=about.label, metadata=about.metadata)


def _has_classes(root: Place) -> bool:
    """Whether all pictures lie exactly one folder deep: none in `root`, and no folders in its folders."""
    try:
        top = [entry for entry in folder_entries(root) if not entry.name.startswith(".")]
        folders = [entry.path for entry in top if entry.is_folder and not left_out([entry.name])]
        loose = any(is_picture(entry.name) or is_tar(entry.path) for entry in top if not entry.is_folder)
        return len(folders) > 1 and not loose and not any(map(_holds_folders, folders))
    except OSError:
        return False


def _holds_folders(folder: Place) -> bool:
    return any(
        entry.is_folder and not entry.name.startswith(".") and not left_out([entry.name])
        for entry in folder_entries(folder)
    )


def items_of_tar(path: Place, root: Place, notes: ListingNotes) -> Iterator[Item]:
    """The samples of a tar among others; a broken one is an item that fails."""
    try:
        yield from tar_items(path, root, notes)
    except SourceError as error:
        yield failing(path, root, OSError(str(error).rstrip(".")))


def failing(path: Place, root: Place, error: OSError) -> Item:
    """The item of a folder or archive that cannot be read: it is listed, and fails with this error."""
    return Item(readable(relative(path, root)), _raising(error))


def _raising(error: OSError) -> _Reader:
    def content() -> bytes:
        raise type(error)(*error.args)

    return content


def _walk(folder: Place, notes: ListingNotes) -> Iterator[_FoundFile | _Unreadable]:
    try:
        entries = folder_entries(folder)
    except OSError as error:
        yield _Unreadable(folder, error)
        return
    texts = _texts(entry.name for entry in entries)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_folder:
            if name := left_out([entry.name]):
                notes.folders[name] += 1
            else:
                yield from _walk(entry.path, notes)
        else:
            names = texts.get(stem_and_kind(entry.name)[0], {})
            beside = {kind: folder / name for kind, name in names.items()}
            yield _FoundFile(entry.path, entry.size, {kind: (path, reader(path)) for kind, path in beside.items()})


def _texts(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The texts beside pictures, by the name without its ending and by their kind."""
    parts = {name: stem_and_kind(name) for name in names if not name.startswith(".")}
    found: dict[str, dict[str, str]] = {parts[name][0]: {} for name in parts if is_picture(name)}
    for name, (stem, kind) in parts.items():
        if kind in TEXT_KINDS and stem in found:
            found[stem][kind] = name
    return found


def _texts_ahead(found: Iterator[_FoundFile | _Unreadable]) -> Iterator[_FoundFile | _Unreadable]:
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from prefetch(pool, _with_texts_read, found, depth=_AHEAD)


def _with_texts_read(found: _FoundFile | _Unreadable) -> _FoundFile | _Unreadable:
    if isinstance(found, _Unreadable) or not is_picture(found.path.name):
        return found
    return replace(found, texts={kind: (path, _read_now(read)) for kind, (path, read) in found.texts.items()})


def _read_now(read: _Reader) -> _Reader:
    """What gives the bytes that are read now, or raises what reading them raised."""
    try:
        content = read()
    except OSError as error:
        return _raising(error)
    return lambda: content
