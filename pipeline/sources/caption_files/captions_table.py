"""Kaggle's captions.txt (`image,caption`) and Flickr30k's results.csv (`image_name| comment_number| comment`)."""

from collections.abc import Iterator
from pathlib import Path

from lexel.pipeline.sources.caption_files.captioned_file import CaptionedFile, items_of
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.source_format import SourceFormat
from lexel.pipeline.sources.tables.delimited_text import header_columns
from lexel.pipeline.sources.tables.manifest import manifest_items


def _recognises(path: Path) -> bool:
    if path.suffix.lower() not in {".txt", ".csv"}:
        return False
    columns = header_columns(path)
    named = [name.strip().lower() for name in columns.uris]
    return bool(columns.caption and named and (path.suffix.lower() == ".txt" or named[0] == "image_name"))


def _items(path: Path, _: ListingNotes) -> Iterator[Item]:
    files = (CaptionedFile(item.uri, item.captions, metadata=item.metadata) for item in manifest_items(path))
    yield from items_of(files, path.parent)


CAPTIONS_TABLE = SourceFormat("Kaggle's captions.txt", _recognises, _items)
