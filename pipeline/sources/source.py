"""Opening a source: a folder, a manifest (CSV, TSV, JSONL, Parquet), a WebDataset tar or a text file.

A source is listed lazily, always in the same order, and can be listed again from its start.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item, read_file, readable
from lexel.pipeline.sources.manifest import MANIFESTS, manifest_items
from lexel.pipeline.sources.webdataset import TARS, is_tar, tar_items

PICTURES = frozenset(
    """
    .jpg .jpeg .jpe .jfif .png .apng .webp .gif .bmp .dib .tif .tiff .avif .heic .heif .jp2 .j2k .ppm .pgm .pbm
    .pnm .tga .ico .icns .pcx .psd
    .dng .cr2 .cr3 .nef .arw .raf .orf .rw2
    """.split()  # noqa: SIM905 - read as a list of names
)


@dataclass(frozen=True)
class Source:
    """A collection: `root` is the folder that uris are relative to; each call of `items` lists it from the start.

    `name` is the file name of the manifest, tar, text or image in `root`, empty for the folder itself. With `captions`
    the captions are the items instead of the images.
    """

    root: Path
    items: Callable[[], Iterator[Item]]
    captions: bool = False
    name: str = ""

    @property
    def place(self) -> Path:
        """The folder, manifest or tar itself."""
        return self.root / self.name


def open_source(path: str | Path, *, captions: bool = False) -> Source:
    """Open a folder, manifest, tar, text file or image; with `captions` the captions are the items, not the images.

    Raises SourceError if `path` does not exist or is of an unknown kind.
    """
    place = Path(path).expanduser().resolve()
    source = _open(place, str(path))
    return replace(source, items=lambda: _captions(source.items()), captions=True) if captions else source


def _open(place: Path, name: str) -> Source:
    if place.is_dir():
        return Source(place, lambda: _folder_items(place))
    if not place.is_file():
        raise SourceError(f"There is nothing at {name}: give a folder of pictures, a manifest or a tar.")
    if place.suffix.lower() in MANIFESTS:
        return Source(place.parent, lambda: manifest_items(place), name=place.name)
    if is_tar(place):
        return Source(place.parent, lambda: tar_items(place, place.parent), name=place.name)
    if place.suffix.lower() == ".txt":
        return Source(place.parent, lambda: _lines(place), captions=True, name=place.name)
    if place.suffix.lower() in PICTURES:
        return Source(place.parent, lambda: iter([_file_item(place, place.parent)]), name=place.name)
    kinds = ", ".join([*sorted(MANIFESTS), *TARS, ".txt"])
    raise SourceError(
        f"{name} is not a source that lexel reads: give a folder of pictures, or a file that ends in {kinds}."
    )


def _folder_items(root: Path) -> Iterator[Item]:
    """The images and samples of tars below `root`, sorted, without hidden files.

    Folders are listed one at a time, to bound memory. Links to folders are not followed, since they can form a cycle.
    """
    for path in _walk(root):
        if is_tar(path):
            yield from tar_items(path, root)
        elif path.suffix.lower() in PICTURES:
            yield _file_item(path, root)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif not _leads_to_folder(entry):
            yield Path(entry.path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _file_item(path: Path, root: Path) -> Item:
    try:
        size = path.stat().st_size
    except OSError:  # deleted meanwhile, or a dangling link: it is listed, and reading it fails later
        size = 0
    return Item(readable(path.relative_to(root).as_posix()), partial(read_file, path), size=size)


def _lines(path: Path) -> Iterator[Item]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if text := line.strip():
                yield Item(readable(f"{path.name}#{number}"), text=text)


def _captions(items: Iterator[Item]) -> Iterator[Item]:
    """Each caption of each item as a text item, with the image's uri, label and metadata."""
    for item in items:
        if item.text is not None:
            yield item
        for number, caption in enumerate(item.captions):
            own_id = f"{item.id}#{number}" if item.id else None
            yield Item(item.uri, text=caption, label=item.label, metadata=item.metadata, id=own_id)
