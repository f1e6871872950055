"""The evaluation set: the images of a manifest's split and their captions or labels, encoded once and cached.

The shards are kept in lexel's data folder, by manifest, split and encoder, so that another evaluation of the same
encoder, or `lexel tune`, need not encode again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from lexel.encoders.encoder import Encoder
from lexel.pipeline.errors import SourceError
from lexel.pipeline.evaluate import encoded_items
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.paths import data_folder
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source, open_source


@dataclass(frozen=True)
class EvaluationSet:
    """Encoded images, and captions if there are any; `failed` is the number of items that could not be encoded.

    `folder` has the shards of the images, `caption_folder` those of the captions.
    """

    name: str
    split: str | None
    pictures: EncodedItems
    captions: EncodedItems | None
    folder: Path
    caption_folder: Path | None
    failed: int


def load_evaluation_set(
    path: str | Path,
    *,
    encoder: Encoder,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    watch: Watch = unwatched,
) -> EvaluationSet:
    """Encode the items of `path` that have the value `split` in the column "split", or read the cached ones.

    Raises SourceError if there are none, or they have neither captions nor labels.
    """
    from lexel.pipeline.encode.encode_options import EncodeOptions
    from lexel.pipeline.encode.run import encode_source

    captioned = _is_captioned(path, split)
    place = _place(Path(path).expanduser().resolve(), split, encoder)
    failed = 0
    for what in ("pictures", "captions") if captioned else ("pictures",):
        source = _of_split(open_source(path, captions=what == "captions"), split)
        with watch(f"Encoding {what}") as progress:
            report = encode_source(
                source,
                place / what,
                encoder=encoder,
                options=EncodeOptions(batch_size=batch_size, device=device, workers=workers, preview=None, exif=False),
                progress=progress,
            )
        failed += report.failed
    captions = encoded_items.read(place / "captions") if captioned else None
    pictures = encoded_items.read(place / "pictures")
    caption_folder = place / "captions" if captioned else None
    return EvaluationSet(Path(path).name, split, pictures, captions, place / "pictures", caption_folder, failed)


def shortened(collection: EvaluationSet, folder: Path, *, keep: int) -> EvaluationSet:
    """The collection with at most `keep` terms per image; its shards are written to `folder`."""
    place = encoded_items.cut(collection.folder, folder, keep=keep)
    return replace(collection, pictures=encoded_items.read(place), folder=place)


def _is_captioned(path: str | Path, split: str | None) -> bool:
    found = labelled = False
    for item in _of_split(open_source(path), split).items():
        if item.captions:
            return True
        found, labelled = True, labelled or item.label is not None
    if not found:
        raise SourceError(_no_such_split(path, split))
    if not labelled:
        raise SourceError(f"{path} has neither captions nor labels to judge by; give a manifest with one of them.")
    return False


def _no_such_split(path: str | Path, split: str | None) -> str:
    there = sorted({str(item.metadata["split"]) for item in open_source(path).items() if "split" in item.metadata})
    if split is None or not there:
        return f"{path} has no pictures" + (f" of the split {split!r}: it has no column `split`." if split else ".")
    return f"{path} has no split {split!r}; its splits are {', '.join(there)}."


def _of_split(source: Source, split: str | None) -> Source:
    def items_of_split() -> Iterator[Item]:
        return (item for item in source.items() if str(item.metadata.get("split")) == split)

    return source if split is None else replace(source, items=items_of_split)


def _place(path: Path, split: str | None, encoder: Encoder) -> Path:
    # Another version of lexel may encode differently with the same encoder.
    about = hashlib.blake2b(f"{path}\0{split}\0{version('lexel')}".encode(), digest_size=6).hexdigest()
    return data_folder() / "evaluate" / f"{about}-{encoder.fingerprint}"
