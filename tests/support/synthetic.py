"""Collections of random terms and vectors with known answers, as real shards."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lexel.encoders.term_weights import quantise
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.images.preview import Preview
from lexel.pipeline.shards.job import Job, write_job
from lexel.pipeline.shards.shard import Shard, shard_name, write_shard
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import Item, Scalar

DIM = 32
FINGERPRINT = "0" * 16
VOCABULARY = Vocabulary(
    tuple(f"word{i}" for i in range(200)),
    {f"word{i}{end}": f"word{i}" for i in range(200) for end in ("", "s")},
    tuple(0.5 / (i + 1) for i in range(200)),
)


@dataclass(frozen=True)
class Collection:
    """Weights [N, V] as stored, unit vectors [N, D], ids, and the folder of shards that holds them."""

    folder: Path
    weights: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float32]
    ids: list[str]


def units(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def collection(
    folder: Path,
    *,
    count: int,
    seed: int = 0,
    shard_size: int = 100,
    metadata: bool = True,
    terms: int = 12,
    hashes: Mapping[int, int] = MappingProxyType({}),
    dated: bool = False,
) -> Collection:
    """`count` random items in shards of `shard_size`; term frequencies fall off as those of words do.

    The items that `hashes` names have a perceptual hash, and a thumbnail. With `dated` each has a date, `meta.taken`.
    """
    dice = np.random.default_rng(seed)
    share = np.array(VOCABULARY.document_frequency) / sum(VOCABULARY.document_frequency)
    weights = np.zeros((count, len(VOCABULARY)), np.float32)
    for row in weights:
        held = dice.choice(len(VOCABULARY), size=terms, replace=False, p=share)
        row[held] = quantise(dice.gamma(2.0, 0.8, size=terms) + 0.05)
    vectors = units(dice.normal(size=(count, DIM)))
    folder.mkdir(parents=True, exist_ok=True)
    VOCABULARY.save(folder / "vocabulary.json")
    write_job(folder, job(shard_size))
    ids = []
    for number in range(0, (count + shard_size - 1) // shard_size):
        rows = [
            _row(i, weights[i], vectors[i], metadata, hashes.get(i), dated)
            for i in range(number * shard_size, min(count, (number + 1) * shard_size))
        ]
        ids += [row.id for row in rows]
        write_shard(
            folder,
            number,
            table(rows, dim=DIM, feature_dim=None),
            listing=f"{FINGERPRINT}-{seed}-{number}",
            failures=[],
        )
    return Collection(folder, weights, vectors, ids)


def job(shard_size: int = 100) -> Job:
    return Job(
        encoder="synthetic",
        name="synthetic",
        fingerprint=FINGERPRINT,
        vocabulary=VOCABULARY.hash,
        dim=DIM,
        feature_dim=None,
        vector_weight={"text": 4.0, "image": 2.0},
        root="/pictures",
        captions=False,
        shard_size=shard_size,
    )


def _row(
    i: int,
    weights: npt.NDArray[np.float32],
    vector: npt.NDArray[np.float32],
    metadata: bool,
    phash: int | None,
    dated: bool,
) -> Row:
    held = sorted(np.flatnonzero(weights), key=lambda t: -weights[t])
    facts: dict[str, Scalar] = {"place": ["beach", "snow", "city"][i % 3], "stars": i % 5} if metadata else {}
    if dated:
        facts["taken"] = f"{2019 + i % 5}-{1 + i % 12:02d}-{1 + i % 28:02d}"
    item = Item(f"{i:06d}.jpg", metadata=facts)
    terms = {VOCABULARY.terms[t]: float(weights[t]) for t in held}
    look = None if phash is None else Preview(b"thumbnail of %d" % i, phash, bytes(64))
    return Row(item, item.identify(b""), 640, 480, terms, vector, None, look)


def forget_looks(shard: Shard) -> None:
    """Write the shard again as it was before previews were stored."""
    table = pq.read_table(shard.path)
    pq.write_table(table.drop_columns(["thumbnail", "phash", "waves"]), shard.path)


def spoil(folder: Path, some: int, *, shard: int = 0) -> None:
    """Give the first items of a shard a weight that OpenSearch cannot store."""
    found = Shard(shard, folder / shard_name(shard))
    table = found.table()
    terms = [[("word0", -1.0)]] * some + table["terms"].to_pylist()[some:]
    column = pa.array(terms, table.schema.field("terms").type)
    spoiled = table.set_column(table.schema.get_field_index("terms"), "terms", column)
    write_shard(folder, shard, spoiled, listing=found.listing(), failures=[])
