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
from lexel.pipeline.sources.picture_folders.picture_folder import file_item, folder_items
from lexel.pipeline.sources.picture_kinds import is_picture
from lexel.pipeline.sources.picture_path import NamedPicture, named_picture
from lexel.pipeline.sources.remote.remote_copy import is_remote_folder, local_copy
from lexel.pipeline.sources.remote.remote_path import Place, RemotePath, is_address
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

    root: Place
    items: Callable[[], Iterator[Item]]
    captions: bool = False
    name: str = ""
    kind: str = ""
    notes: ListingNotes = field(default_factory=ListingNotes, compare=False)

    @property
    def place(self) -> Place:
        """The folder, manifest or tar itself: a path, or an address."""
        return self.root / self.name


def open_source(path: str | Path, *, captions: bool = False, selection: Selection = EVERYTHING) -> Source:
    """Open a folder, manifest, tar, text file or image; with `captions` the captions are the items, not the images.

    `path` is also an address that fsspec reads (https://, s3://, ...). Only what `selection` takes is listed.

    Raises SourceError if `path` does not exist or is of an unknown kind, ConfigError if an address needs an extra.
    """
    if is_address(str(path)):
        source = _open_remote(RemotePath(str(path)), selection)
    else:
        source = _open(Path(path).expanduser().resolve(), str(path), selection)
    return replace(source, items=lambda: _captions(source.items()), captions=True) if captions else source


def _open(place: Path, name: str, selection: Selection) -> Source:
    notes = ListingNotes()
    root = place if place.is_dir() else place.parent
    return _source(root, "" if root == place else place.name, _listing(place, name, notes), notes, selection)


def _open_remote(place: RemotePath, selection: Selection) -> Source:
    """A folder or tar is read where it is; a table or text is fetched, and its pictures are beside its address."""
    notes, root = ListingNotes(), place.parent
    if is_tar(place.name):
        return _source(root, place.name, _Listing("a tar", lambda: tar_items(place, root, notes)), notes, selection)
    if not place.suffix and place.is_web:
        raise SourceError(f"A web server does not list its folders: give the address of a file in {place}.")
    if is_remote_folder(place):
        return _source(place, "", _Listing("a folder", lambda: folder_items(place, notes)), notes, selection)
    copy = local_copy(place)
    listing = _listing(copy, str(place), notes)
    there = _Listing(listing.kind, lambda: (_moved(item, root) for item in listing.items()))
    return _source(root, place.name, there, notes, selection)


def _moved(item: Item, root: RemotePath) -> Item:
    if isinstance(item.content, NamedPicture):
        picture = named_picture(root, item.content.uri)
        return replace(item, content=picture, state=picture.state)
    return item


def _source(root: Place, name: str, listing: "_Listing", notes: ListingNotes, selection: Selection) -> Source:
    def items() -> Iterator[Item]:
        notes.clear()
        yield from selection.of(listing.items())

    return Source(root, items, captions=listing.kind == _TEXT, name=name, kind=listing.kind, notes=notes)


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
    if is_tar(place.name):
        return _Listing("a tar", lambda: tar_items(place, place.parent, notes))
    if place.suffix.lower() == ".txt":
        return _Listing(_TEXT, lambda: _lines(place))
    if is_picture(place.name):
        return _Listing("a picture", lambda: iter([file_item(str(place), place.name)]))
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
