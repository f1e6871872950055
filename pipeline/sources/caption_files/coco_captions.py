"""COCO's captions_train2017.json and others of its form: images and annotations apart."""

from collections.abc import Iterator
from pathlib import Path

from lexel.pipeline.sources.caption_files.captioned_file import CaptionedFile, items_of
from lexel.pipeline.sources.caption_files.json_file import json_file, starts_with
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.source_format import SourceFormat


def _recognises(path: Path) -> bool:
    return starts_with(path, '"images"') or starts_with(path, '"annotations"')


def _items(path: Path, _: ListingNotes) -> Iterator[Item]:
    with json_file(path) as about:
        captions = dict[object, list[str]]()
        for told in about["annotations"]:
            captions.setdefault(told["image_id"], []).append(str(told["caption"]))
        files = [CaptionedFile(str(image["file_name"]), captions.get(image["id"], [])) for image in about["images"]]
        yield from items_of(files, path.parent)


COCO_CAPTIONS = SourceFormat("COCO's captions JSON", _recognises, _items)
