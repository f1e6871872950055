"""Flickr8k.token.txt and results_20130124.token: `name.jpg#0`, a tab, and a caption in each line."""

import re
from collections.abc import Iterator
from pathlib import Path

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.caption_files.captioned_file import CaptionedFile, items_of
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.source_format import SourceFormat
from lexel.pipeline.sources.text_encoding import encoding_of_file

_LINE = re.compile(r"(?P<name>[^\t#]+\.\w+)#\d+\t(?P<caption>.*)")


def _recognises(path: Path) -> bool:
    if path.suffix.lower() not in {".txt", ".token"}:
        return False
    with path.open(encoding=encoding_of_file(path), errors="replace") as file:
        return _LINE.match(file.readline(4096)) is not None


def _items(path: Path, _: ListingNotes) -> Iterator[Item]:
    captions = dict[str, list[str]]()
    try:
        with path.open(encoding=encoding_of_file(path)) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    name, caption = _parts(path, number, line)
                    captions.setdefault(name, []).append(caption)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{path.name} cannot be read: {error}; save it as UTF-8.") from error
    yield from items_of((CaptionedFile(name, texts) for name, texts in captions.items()), path.parent)


def _parts(path: Path, number: int, line: str) -> tuple[str, str]:
    if found := _LINE.match(line):
        return found["name"], found["caption"]
    raise SourceError(f"{path.name}, line {number}: there should be a name, #, a number, a tab and a caption.")


FLICKR_TOKENS = SourceFormat("Flickr's token file", _recognises, _items)
