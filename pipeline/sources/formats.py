"""The formats of files and folders that are known; other packages add theirs by entry points, group lexel.sources."""

import csv
from importlib.metadata import entry_points
from pathlib import Path

from lexel.pipeline.sources.caption_files.captions_table import CAPTIONS_TABLE
from lexel.pipeline.sources.caption_files.coco_captions import COCO_CAPTIONS
from lexel.pipeline.sources.caption_files.flickr_tokens import FLICKR_TOKENS
from lexel.pipeline.sources.caption_files.karpathy import KARPATHY
from lexel.pipeline.sources.datasets.huggingface_parquet import HUGGING_FACE
from lexel.pipeline.sources.datasets.img2dataset_output import IMG2DATASET
from lexel.pipeline.sources.datasets.oxford_flowers import OXFORD_FLOWERS
from lexel.pipeline.sources.source_format import SourceFormat

FILES = (KARPATHY, COCO_CAPTIONS, FLICKR_TOKENS, CAPTIONS_TABLE)
FOLDERS = (OXFORD_FLOWERS, IMG2DATASET, HUGGING_FACE)


def format_of(path: Path) -> SourceFormat | None:
    """The format of a file or folder, the first one that recognises it; None where it is another kind of source."""
    built_in = FOLDERS if path.is_dir() else FILES
    try:
        return next((one for one in (*built_in, *_others()) if one.recognises(path)), None)
    except (OSError, csv.Error):  # said when the file is read
        return None


def _others() -> list[SourceFormat]:
    return [point.load() for point in entry_points(group="lexel.sources")]
