"""Image features for training: encoded once into shards, one folder per view, and read back as arrays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import SourceError
from lexel.pipeline.progress import Watch
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.sources.source import Source
from lexel.pipeline.train.data.augment import view
from lexel.pipeline.train.data.splits import Splits
from lexel.pipeline.train.data.training_set import Array, TrainingSet


def training_sets(
    splits: Splits, folder: Path, *, encoder: Encoder, views: int, batch_size: int | None, device: str, watch: Watch
) -> tuple[TrainingSet, TrainingSet]:
    """The training sets of train and val, encoded into shards in `folder`, or read if they are there.

    Train has `views` views of each image, val only the whole one. Images that cannot be read are skipped. Raises
    SourceError if none can be read.
    """

    def tables(name: str, source: Source, count: int) -> list[pa.Table]:
        found = []
        for number in range(count):
            place = folder / f"{name}-view-{number}"
            what = f"Encoding {name}" + (f", view {number + 1} of {count}" if count > 1 else "")
            with watch(what) as progress:
                encode_source(
                    source,
                    place,
                    encoder=encoder,
                    options=EncodeOptions(
                        batch_size=batch_size, device=device, view=view(number), preview=None, exif=False
                    ),
                    progress=progress,
                )
            found.append(_table(place))
            if not found[-1].num_rows:
                raise SourceError(f"None of the images for {name} could be read; see {place / 'failures.parquet'}.")
        return found

    return _training_set(tables("train", splits.train, views)), _training_set(tables("val", splits.val, 1))


def merged(first: TrainingSet, second: TrainingSet) -> TrainingSet:
    """One training set with the images of both."""
    return replace(
        first,
        views=tuple(np.concatenate(pair) for pair in zip(first.views, second.views, strict=True)),
        texts=first.texts + second.texts,
        owner=np.concatenate([first.owner, second.owner + len(first)]),
        labels=first.labels + second.labels,
    )


def _table(folder: Path) -> pa.Table:
    """The columns that training needs, of all shards in `folder`; a table without columns if there are no rows."""
    wanted = ["id", "captions", "label", "features" if read_job(folder).feature_dim else "vector"]
    # Not `ShardFolder.open`: encoders with equal features share shards, whose vectors may be of another length.
    batches = [batch for shard in finished_shards(folder) for batch in shard.batches(columns=wanted) if batch.num_rows]
    return pa.Table.from_batches([batch.replace_schema_metadata(None) for batch in batches] or [pa.record_batch({})])


def _training_set(tables: list[pa.Table]) -> TrainingSet:
    captions = tables[0].column("captions").to_pylist()
    owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
    texts = tuple(text for own in captions for text in own)
    whole = _array(tables[0])
    at = {id_: row for row, id_ in enumerate(tables[0].column("id").to_pylist())}
    return TrainingSet(
        views=(whole, *(_aligned(table, at, whole) for table in tables[1:])),
        texts=texts,
        owner=owner,
        labels=tuple(tables[0].column("label").to_pylist()),
    )


def _aligned(table: pa.Table, at: dict[str, int], whole: Array) -> Array:
    """The features of a view in the order of the whole images, which replace those that are missing in the view."""
    found = whole.copy()
    pairs = [(at[id_], row) for row, id_ in enumerate(table.column("id").to_pylist()) if id_ in at]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found[rows[:, 0]] = _array(table)[rows[:, 1]]
    return found


def _array(table: pa.Table) -> Array:
    column = table.column(table.column_names[-1]).combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    rows: Array = flat.reshape(len(column), -1).astype(np.float16, copy=False)
    return rows
