"""Karpathy's dataset_coco.json, dataset_flickr8k.json and dataset_flickr30k.json: captions with splits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lexel.pipeline.sources.caption_files.captioned_file import CaptionedFile, items_of
from lexel.pipeline.sources.caption_files.json_file import json_file, starts_with
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.source_format import SourceFormat


def _recognises(path: Path) -> bool:
    return starts_with(path, '"sentences"', '"filename"')


def _items(path: Path, _: ListingNotes) -> Iterator[Item]:
    with json_file(path) as about:
        yield from items_of([_file(image) for image in about["images"]], path.parent)


def _file(image: dict[str, Any]) -> CaptionedFile:
    captions = [str(sentence["raw"]) for sentence in image["sentences"]]
    metadata = {"split": str(image["split"])} if image.get("split") else {}
    return CaptionedFile(str(image["filename"]), captions, str(image.get("filepath") or ""), metadata)


KARPATHY = SourceFormat("Karpathy's JSON", _recognises, _items)
