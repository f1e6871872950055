"""The formats of caption files that are known; other packages add theirs as entry points of the group lexel.sources."""

import csv
from importlib.metadata import entry_points
from pathlib import Path

from lexel.pipeline.sources.caption_files.captions_table import CAPTIONS_TABLE
from lexel.pipeline.sources.caption_files.coco_captions import COCO_CAPTIONS
from lexel.pipeline.sources.caption_files.flickr_tokens import FLICKR_TOKENS
from lexel.pipeline.sources.caption_files.karpathy import KARPATHY
from lexel.pipeline.sources.caption_files.source_format import SourceFormat

BUILT_IN = (KARPATHY, COCO_CAPTIONS, FLICKR_TOKENS, CAPTIONS_TABLE)


def format_of(path: Path) -> SourceFormat | None:
    """The format of a file, the first one that recognises it; None where it is another kind of source."""
    try:
        return next((one for one in (*BUILT_IN, *_others()) if one.recognises(path)), None)
    except (OSError, csv.Error):  # said when the file is read
        return None


def _others() -> list[SourceFormat]:
    return [point.load() for point in entry_points(group="lexel.sources")]
