"""A format of sources: of files, such as captions as they are downloaded, or of whole folders."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes


@dataclass(frozen=True)
class SourceFormat:
    """A kind of file or folder: whether a path is of it, and its items.

    The items' uris are relative to the folder, or to the folder of the file. What is left out goes into the notes.
    """

    name: str
    recognises: Callable[[Path], bool]
    items: Callable[[Path, ListingNotes], Iterator[Item]]
