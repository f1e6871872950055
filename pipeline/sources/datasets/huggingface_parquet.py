"""A data set of the Hugging Face hub as it is downloaded: a folder of Parquet that holds the pictures themselves."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folders.picture_folder import failing
from lexel.pipeline.sources.picture_kinds import is_picture
from lexel.pipeline.sources.source_format import SourceFormat
from lexel.pipeline.sources.tables.manifest import manifest_items
from lexel.pipeline.sources.tables.parquet_rows import column_names, holds_pictures
from lexel.pipeline.sources.tars.tar_members import is_tar

# data/train-00000-of-00002.parquet, or default/train/0000.parquet.
_DEPTH = 2
_PART = re.compile(r"(?P<split>.+?)-\d+-of-\d+")
_SPLITS = {"train": "train", "test": "test"} | dict.fromkeys(("val", "valid", "validation", "dev"), "val")
_NOT_DATA = frozenset(["README.md", "dataset_infos.json", "dataset_info.json", "state.json"])


def _recognises(path: Path) -> bool:
    """Not a folder of pictures in which such a file lies too."""
    loose = any(is_picture(name) or is_tar(name) for name in os.listdir(path))
    return not loose and any(holds_pictures(file) for file in _tables(path))


def _items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    """The rows of all files. An `id` is of one file alone, and two files may share it: it is metadata here."""
    for path in _tables(root):
        place = PurePosixPath(path.relative_to(root).as_posix())
        split = _split(place)
        try:
            if column_names(path) and not holds_pictures(path):
                notes.skip(path.name)
                continue
            for item in manifest_items(path):
                about = {"split": split} if split else {}
                own = {"id": item.id} if item.id else {}
                uri = (place.parent / item.uri).as_posix() if "://" not in item.uri else item.uri
                yield replace(item, uri=uri, id=None, metadata=about | own | dict(item.metadata))
        except SourceError as error:  # the rest is listed, as with a broken tar among pictures
            yield failing(place.as_posix(), OSError(str(error).rstrip(".")))
    _note_others(root, notes, _DEPTH)


def _split(place: PurePosixPath) -> str | None:
    """The split that the name of a file says, or else that of its folder."""
    if found := _PART.fullmatch(place.stem):
        return _SPLITS.get(found["split"].lower(), found["split"])
    words = (re.split(r"[-_.]", place.stem)[0], place.parent.name)
    return next((_SPLITS[word.lower()] for word in words if word.lower() in _SPLITS), None)


def _tables(root: Path) -> Iterator[Path]:
    folders = [root]
    for _ in range(_DEPTH + 1):
        # `Path.glob` takes five times as long, and this is asked of every folder of pictures.
        entries = [entry for folder in folders for entry in _shown(folder)]
        yield from sorted(Path(entry.path) for entry in entries if entry.name.endswith(".parquet"))
        folders = [Path(entry.path) for entry in entries if entry.is_dir()]


def _shown(folder: Path) -> "list[os.DirEntry[str]]":
    """What is in a folder, without what is hidden; nothing where it cannot be listed."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except OSError:
        return []


def _note_others(folder: Path, notes: ListingNotes, depth: int) -> None:
    """What else is there."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    inner = [path for path in entries if path.is_dir()] if depth else []
    known = {path.name for path in entries if path.suffix == ".parquet" or path in inner}
    notes.skip_others(folder, known | _NOT_DATA)
    for path in inner:
        _note_others(path, notes, depth - 1)


HUGGING_FACE = SourceFormat("Parquet of the Hugging Face hub", _recognises, _items)
