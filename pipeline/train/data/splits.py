"""Splits a source into training and validation items."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source

TRAIN = frozenset({"train", "training", "restval"})
VAL = frozenset({"val", "valid", "validation", "dev"})
# In a source without splits, one of so many images is for validation.
_HELD_BACK = 10


@dataclass(frozen=True)
class Splits:
    """The two splits of a source, and whether any of its items has captions."""

    train: Source
    val: Source
    captioned: bool


def splits(source: Source, *, labelled: bool = False) -> Splits:
    """Split by the items' metadata field "split", or else by a hash of the uri, a tenth for validation.

    An item with a label but no caption gets the label as caption. Items of other splits, and items with neither (or
    without label, if `labelled`), are omitted. Raises SourceError if one side is empty.
    """
    named = captioned = False
    for item in source.items():
        named, captioned = named or bool(_named(item)), captioned or bool(item.captions)

    def side(wanted: Callable[[Item], bool]) -> Source:
        return replace(source, items=lambda: _chosen(source, wanted, labelled))

    if named:
        both = Splits(side(lambda item: _named(item) in TRAIN), side(lambda item: _named(item) in VAL), captioned)
    else:
        both = Splits(side(lambda item: not _held_back(item)), side(_held_back), captioned)
    what = "labels" if labelled else "captions"
    for name, one in (("train", both.train), ("val", both.val)):
        if next(one.items(), None) is None:
            how = f"no item has `split` {name}" if named else "there are too few of them"
            raise SourceError(
                f"{source.place} has no pictures with {what} to {_USE[name]}: {how}; give more, "
                "or a column `split` that says train or val."
            )
    return both


_USE = {"train": "learn from", "val": "judge by"}


def _chosen(source: Source, wanted: Callable[[Item], bool], labelled: bool) -> Iterator[Item]:
    for item in source.items():
        said = item if item.captions or item.label is None else replace(item, captions=(_spoken(item.label),))
        if item.text is None and (item.label is not None if labelled else said.captions) and wanted(item):
            yield said


def _spoken(label: str) -> str:
    return label.replace("_", " ").strip() or label


def _named(item: Item) -> str:
    return str(item.metadata.get("split") or "").lower()


def _held_back(item: Item) -> bool:
    digest = hashlib.blake2b(item.uri.encode(), digest_size=4).digest()
    return int.from_bytes(digest) % _HELD_BACK == 0
