"""Oxford 102 Flowers: the folder that holds jpg/, imagelabels.mat and setid.mat.

Nilsback and Zisserman, Automated flower classification over a large number of classes (2008). The files number the
classes 1 to 102; cat_to_name.json, which courses hand out beside them, has their names.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.caption_files.json_file import json_file
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folders.picture_folder import file_item
from lexel.pipeline.sources.source_format import SourceFormat

_PICTURES, _LABELS, _SPLITS, _NAMES = "jpg", "imagelabels.mat", "setid.mat", "cat_to_name.json"
_SPLIT_OF = {"trnid": "train", "valid": "val", "tstid": "test"}


def _recognises(path: Path) -> bool:
    return (path / _LABELS).is_file() and (path / _PICTURES).is_dir()


def _items(root: Path, notes: ListingNotes) -> Iterator[Item]:
    labels = _numbers(root / _LABELS, "labels")["labels"]
    splits, names = _splits(root, notes), _names(root / _NAMES)
    listed = [f"image_{number:05d}.jpg" for number in range(1, len(labels) + 1)]
    for number, (name, label) in enumerate(zip(listed, labels, strict=True), 1):
        split = {"split": splits[number]} if number in splits else {}
        item = file_item(str(root / _PICTURES / name), f"{_PICTURES}/{name}")
        yield replace(item, label=names.get(label, str(label)), metadata=split)
    notes.skip_others(root / _PICTURES, listed)
    notes.skip_others(root, (_PICTURES, _LABELS, _SPLITS, _NAMES))


def _splits(root: Path, notes: ListingNotes) -> dict[int, str]:
    """The split of each picture by its number."""
    if not (root / _SPLITS).is_file():
        notes.warn(f"{_SPLITS} is not beside {_LABELS}, so that no picture has a split.")
        return {}
    found = _numbers(root / _SPLITS, *_SPLIT_OF)
    return {number: split for name, split in _SPLIT_OF.items() for number in found[name]}


def _names(path: Path) -> dict[int, str]:
    if not path.is_file():
        return {}
    with json_file(path) as table:
        return {int(number): str(name) for number, name in table.items()}


def _numbers(path: Path, *names: str) -> dict[str, list[int]]:
    """The lists of whole numbers in a file of MATLAB 5. Raises SourceError where it is broken, or lacks one."""
    from scipy.io import loadmat

    try:
        table: dict[str, Any] = loadmat(path, variable_names=names)
        return {name: [int(number) for number in table[name].ravel()] for name in names}
    except KeyError as error:
        raise SourceError(f"{path.name} holds no {error}: download it again.") from error
    except Exception as error:  # scipy raises a dozen kinds for broken files
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise SourceError(f"{path.name} cannot be read as a MATLAB file ({reason}): download it again.") from error


OXFORD_FLOWERS = SourceFormat("Oxford 102 Flowers", _recognises, _items)
