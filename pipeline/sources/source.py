"""Opening a source: a folder, a manifest (CSV, TSV, JSONL, Parquet), a tar, a data set as downloaded or a text file.

A source is listed lazily, always in the same order, and can be listed again from its start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.formats import format_of
from lexel.pipeline.sources.item import Item, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_folder import file_item, folder_items
from lexel.pipeline.sources.picture_kinds import is_picture
from lexel.pipeline.sources.selection import EVERYTHING, Selection
from lexel.pipeline.sources.tables.manifest import manifest_items
from lexel.pipeline.sources.tables.table_rows import MANIFESTS
from lexel.pipeline.sources.tars.tar_members import TARS, is_tar
from lexel.pipeline.sources.tars.webdataset import tar_items
from lexel.pipeline.sources.text_encoding import encoding_of_file


@dataclass(frozen=True)
class Source:
    """A collection: `root` is the folder that uris are relative to; each call of `items` lists it from the start.

    `kind` says what it is, for people. `name` is the file name of the manifest, tar, text or image in `root`, empty
    for the folder itself. With `captions` the captions are the items instead of the images. `notes` are what the last
    listing left out.
    """

    root: Path
    items: Callable[[], Iterator[Item]]
    captions: bool = False
    name: str = ""
    kind: str = ""
    notes: ListingNotes = field(default_factory=ListingNotes, compare=False)

    @property
    def place(self) -> Path:
        """The folder, manifest or tar itself."""
        return self.root / self.name


def open_source(path: str | Path, *, captions: bool = False, selection: Selection = EVERYTHING) -> Source:
    """Open a folder, manifest, tar, text file or image; with `captions` the captions are the items, not the images.

    Only what `selection` takes is listed.

    Raises SourceError if `path` does not exist or is of an unknown kind.
    """
    place = Path(path).expanduser().resolve()
    source = _open(place, str(path), selection)
    return replace(source, items=lambda: _captions(source.items()), captions=True) if captions else source


def _open(place: Path, name: str, selection: Selection) -> Source:
    notes = ListingNotes()
    listing, root = _listing(place, name, notes), place if place.is_dir() else place.parent

    def items() -> Iterator[Item]:
        notes.clear()
        yield from selection.of(listing.items())

    own_name = "" if root == place else place.name
    return Source(root, items, captions=listing.kind == _TEXT, name=own_name, kind=listing.kind, notes=notes)


@dataclass(frozen=True)
class _Listing:
    """What a source is, and what lists its items."""

    kind: str
    items: Callable[[], Iterator[Item]]


_TEXT = "a text file, an item a line"


def _listing(place: Path, name: str, notes: ListingNotes) -> _Listing:
    if not (place.is_dir() or place.is_file()):
        raise SourceError(f"There is nothing at {name}: give a folder of pictures, a manifest or a tar.")
    if known := format_of(place):
        return _Listing(known.name, lambda: known.items(place, notes))
    if place.is_dir():
        return _Listing("a folder", lambda: folder_items(place, notes))
    if place.suffix.lower() in MANIFESTS:
        return _Listing(f"a {place.suffix[1:].upper()} table", lambda: manifest_items(place))
    if is_tar(place):
        return _Listing("a tar", lambda: tar_items(place, place.parent, notes))
    if place.suffix.lower() == ".txt":
        return _Listing(_TEXT, lambda: _lines(place))
    if is_picture(place.name):
        return _Listing("a picture", lambda: iter([file_item(place, place.parent)]))
    kinds = ", ".join([*sorted(MANIFESTS), *TARS, ".txt"])
    raise SourceError(
        f"{name} is not a source that lexel reads: give a folder of pictures, or a file that ends in {kinds}."
    )


def _lines(path: Path) -> Iterator[Item]:
    try:
        with path.open(encoding=encoding_of_file(path)) as file:
            for number, line in enumerate(file, 1):
                if text := line.strip():
                    yield Item(readable(f"{path.name}#{number}"), text=text)
    except UnicodeError as error:
        raise SourceError(f"{path.name} is not UTF-8 ({error}); save it as UTF-8.") from error
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}.") from error


def _captions(items: Iterator[Item]) -> Iterator[Item]:
    """Each caption of each item as a text item, with the image's uri, label and metadata."""
    for item in items:
        if item.text is not None:
            yield item
        for number, caption in enumerate(item.captions):
            own_id = f"{item.id}#{number}" if item.id else None
            yield Item(item.uri, text=caption, label=item.label, metadata=item.metadata, id=own_id)
