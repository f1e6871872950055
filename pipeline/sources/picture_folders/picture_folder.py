"""A folder: the pictures and tars below it, sorted, without what is hidden and what devices keep for themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from lexel.pipeline.errors import SourceError
from lexel.pipeline.iterators import prefetch
from lexel.pipeline.sources.item import FileState, Item, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folders.folder_entries import (
    FilePlace,
    file_place,
    folder_entries,
    folder_names,
    reader,
    state_of,
)
from lexel.pipeline.sources.picture_kinds import is_picture, left_out
from lexel.pipeline.sources.remote.remote_path import Place, RemotePath, relative
from lexel.pipeline.sources.sidecar import TEXT_KINDS, sidecar
from lexel.pipeline.sources.tars.tar_members import is_tar
from lexel.pipeline.sources.tars.tar_sample import stem_and_kind
from lexel.pipeline.sources.tars.webdataset import tar_items

# Texts beside pictures that are elsewhere are fetched by so many threads, for so many pictures ahead.
_THREADS, _AHEAD = 16, 64
_TEXTS = tuple(f".{kind}" for kind in TEXT_KINDS)
_Reader = Callable[[], bytes]
# The name below the root of a text, and what reads it, by its kind.
_Texts = Mapping[str, tuple[str, _Reader]]
_NO_TEXTS: _Texts = {}


class _Unreadable(NamedTuple):
    """A folder that cannot be listed, by its name below the root."""

    name: str
    error: OSError


class _FoundFile(NamedTuple):
    """A file, its name below the root, its state if its folder says it, and the texts of the same name beside it."""

    path: FilePlace
    name: str
    state: FileState | None
    texts: _Texts


def folder_items(root: Place, notes: ListingNotes) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    A folder or tar that cannot be read is an item that fails, and the rest is listed. A .txt, .cls or .json of the same
    name is a picture's own; where all pictures lie one folder deep, their folder is their label. Raises SourceError
    where `root` itself cannot be read.
    """
    classes = _has_classes(file_place(root))
    walked = _walk(file_place(root), "", notes)
    for found in _texts_ahead(walked) if isinstance(root, RemotePath) else walked:
        if isinstance(found, _Unreadable):
            if not found.name:
                why = found.error.strerror or str(found.error).rstrip(".")
                raise SourceError(f"The folder {root} cannot be read: {why}.") from found.error
            yield failing(found.name, found.error)
        elif is_picture(found.name):
            folder = readable(found.name.partition("/")[0]) if classes else None
            yield _with_texts(file_item(found.path, found.name, state=found.state, label=folder), found.texts, notes)
        elif is_tar(found.name):
            yield from items_of_tar(root / found.name, root, notes)
        elif not found.texts:
            notes.skip(found.name.rpartition("/")[2])


def file_item(path: FilePlace, name: str, *, state: FileState | None = None, label: str | None = None) -> Item:
    """The item of one picture's file; `name` is its path below the root."""
    return Item(readable(name), reader(path), label=label, state=state_of(path, state))


def _with_texts(item: Item, texts: _Texts, notes: ListingNotes) -> Item:
    if not texts:
        return item
    about = sidecar(texts, notes)
    return replace(item, captions=about.captions, label=about.label or item.label, metadata=about.metadata)


def _has_classes(root: FilePlace) -> bool:
    """Whether all pictures lie exactly one folder deep: none in `root`, and no folders in its folders."""
    try:
        top = [entry for entry in folder_entries(root) if not entry.name.startswith(".")]
        folders = [entry.path for entry in top if entry.is_folder and not left_out([entry.name])]
        loose = any(is_picture(entry.name) or is_tar(entry.name) for entry in top if not entry.is_folder)
        return len(folders) > 1 and not loose and not any(map(_holds_folders, folders))
    except OSError:
        return False


def _holds_folders(folder: FilePlace) -> bool:
    return any(not name.startswith(".") and not left_out([name]) for name in folder_names(folder))


def items_of_tar(path: Place, root: Place, notes: ListingNotes) -> Iterator[Item]:
    """The samples of a tar among others; a broken one is an item that fails."""
    try:
        yield from tar_items(path, root, notes)
    except SourceError as error:
        yield failing(relative(path, root), OSError(str(error).rstrip(".")))


def failing(name: str, error: OSError) -> Item:
    """The item of a folder or archive that cannot be read: it is listed, and fails with this error."""
    return Item(readable(name), _raising(error), unlisted=True)


def _raising(error: OSError) -> _Reader:
    def content() -> bytes:
        raise type(error)(*error.args)

    return content


def _walk(folder: FilePlace, below: str, notes: ListingNotes) -> Iterator[_FoundFile | _Unreadable]:
    """The files of a folder whose name below the root, with a slash at its end, is `below`."""
    try:
        entries = folder_entries(folder)
    except OSError as error:
        yield _Unreadable(below.rstrip("/"), error)
        return
    places = {entry.name: entry.path for entry in entries if entry.name.lower().endswith(_TEXTS)}
    texts = _texts([entry.name for entry in entries], places, below) if places else {}
    for name, path, is_folder, state in entries:
        if name.startswith("."):
            continue
        if is_folder:
            if device := left_out([name]):
                notes.folders[device] += 1
            else:
                yield from _walk(path, f"{below}{name}/", notes)
        else:
            yield _FoundFile(path, below + name, state, texts.get(stem_and_kind(name)[0], _NO_TEXTS) if texts else {})


def _texts(
    names: Sequence[str], places: Mapping[str, FilePlace], below: str
) -> dict[str, dict[str, tuple[str, _Reader]]]:
    """The texts beside pictures, by the name without its ending and by their kind."""
    found: dict[str, dict[str, tuple[str, _Reader]]] = {}
    pictures = {stem_and_kind(name)[0] for name in names if is_picture(name)}
    for name, path in places.items():
        stem, kind = stem_and_kind(name)
        if stem in pictures and not name.startswith("."):
            found.setdefault(stem, {})[kind] = (below + name, reader(path))
    return found


def _texts_ahead(found: Iterator[_FoundFile | _Unreadable]) -> Iterator[_FoundFile | _Unreadable]:
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from prefetch(pool, _with_texts_read, found, depth=_AHEAD)


def _with_texts_read(found: _FoundFile | _Unreadable) -> _FoundFile | _Unreadable:
    if isinstance(found, _Unreadable) or not is_picture(found.name):
        return found
    return found._replace(texts={kind: (name, _read_now(read)) for kind, (name, read) in found.texts.items()})


def _read_now(read: _Reader) -> _Reader:
    """What gives the bytes that are read now, or raises what reading them raised."""
    try:
        content = read()
    except OSError as error:
        return _raising(error)
    return lambda: content
