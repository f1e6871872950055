"""The map of a collection: two coordinates per item, so that items with similar vectors are neighbours.

One to two thousand items, the landmarks, are laid out by t-SNE; every other item is placed between its most similar
landmarks. So a map of any size takes seconds, and items are placed independently as they are loaded.

Sources: van der Maaten, Hinton, Visualizing Data using t-SNE, JMLR 2008, in scikit-learn; de Silva, Tenenbaum, Sparse
multidimensional scaling using landmark points, 2004.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lexel.pipeline.atomic import put_first, replacing_file
from lexel.pipeline.errors import WriteError
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.shards.table import matrix

# The number of landmarks is a _SHARE-th of the items, within these limits; more than 2,000 cost seconds and hardly
# change the map.
_FEW, _MANY, _SHARE = 1000, 2000, 50
# An item is placed between _NEAREST landmarks; one whose cosine is lower by _FADE has weight 1/e of the nearest.
_NEAREST, _FADE = 3, 0.05
_NEIGHBOURS, _STEPS = 30, 300
# Items placed at once: each is compared with all landmarks, which takes 24 kB of memory.
_AT_ONCE = 128
_SAME = b"lexel.map"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TsneMap:
    """The landmarks' unit vectors [M, D] and their positions [M, 2], between 0 and 1."""

    landmarks: Floats
    places: Floats

    def of(self, vectors: Floats) -> Floats:
        """The positions [N, 2] of items with unit vectors [N, D]: weighted means of their nearest landmarks'."""
        starts = range(0, max(1, len(vectors)), _AT_ONCE)
        return np.concatenate([self._placed(vectors[i : i + _AT_ONCE]) for i in starts])

    @property
    def digest(self) -> str:
        """By which two maps are told apart."""
        return hashlib.blake2b(self.places.tobytes(), digest_size=8).hexdigest()

    def _placed(self, vectors: Floats) -> Floats:
        likeness = np.nan_to_num(vectors, posinf=0, neginf=0) @ self.landmarks.T
        others = max(0, len(self.landmarks) - _NEAREST)
        nearest = np.argpartition(likeness, others, axis=1)[:, others:]
        found = np.take_along_axis(likeness, nearest, axis=1)
        weights = np.exp((found - found.max(axis=1, keepdims=True)) / _FADE)
        weights /= weights.sum(axis=1, keepdims=True)
        placed: Floats = (weights[:, :, None] * self.places[nearest]).sum(axis=1)
        return placed


def load_or_make_map(folder: Path, shards: Sequence[Shard]) -> TsneMap:
    """The map in `folder`/map.parquet, or a new one, which is stored there.

    It is kept while the collection changes, so that items stay where people saw them, until there are twice or half as
    many items; and a load that is resumed, perhaps on another machine, needs it: t-SNE amplifies rounding differences
    between processors to another layout. So do the parts of one load, which may make it at once: the first one's stays.
    """
    path, about = folder / "map.parquet", _about(shards)
    kept = _read(path, about)
    if kept is None:
        landmarks = _landmarks(shards)
        kept = TsneMap(landmarks, tsne_layout(landmarks))
        with suppress(WriteError):  # shards in a read-only folder can be loaded too
            if _read(path, about) is None:
                _write(path, about, kept)
        kept = _read(path, about) or kept
    return kept


def write_map(folder: Path) -> None:
    """Make the map of the shards in `folder` now, and store it there."""
    shards = finished_shards(folder)
    if any(shard.rows() for shard in shards):
        load_or_make_map(folder, shards)


def tsne_layout(vectors: Floats) -> Floats:
    """The t-SNE layout [M, 2] of unit vectors [M, D], scaled to 0..1."""
    if len(vectors) < 4:  # too few to have neighbours
        return np.linspace(0.25, 0.75, len(vectors), dtype=np.float32)[:, None].repeat(2, axis=1)
    from sklearn.manifold import TSNE

    # Noise separates equal vectors, whose PCA initialisation would coincide; it is too small to change anything else.
    noise = np.random.default_rng(0).normal(scale=1e-4, size=vectors.shape).astype(np.float32)
    perplexity = min(_NEIGHBOURS, (len(vectors) - 1) / 3)
    layout = TSNE(init="pca", perplexity=perplexity, max_iter=_STEPS, random_state=0).fit_transform(vectors + noise)
    low, high = layout.min(axis=0), layout.max(axis=0)
    places: Floats = ((layout - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    return places


def _landmarks(shards: Sequence[Shard]) -> Floats:
    """The vectors of a random sample, the same for the same number of items. Only the sample's shards are read."""
    total = sum(shard.rows() for shard in shards)
    count = min(total, max(_FEW, min(_MANY, total // _SHARE)))
    wanted = np.sort(np.random.default_rng(0).choice(total, size=count, replace=False))
    parts, row = [], 0
    for shard in shards:
        mine = wanted[(wanted >= row) & (wanted < row + shard.rows())] - row
        if len(mine):
            column = pa.chunked_array([batch.column("vector") for batch in shard.batches(columns=["vector"])])
            parts.append(matrix(column.take(mine)).astype(np.float32, copy=False))
        row += shard.rows()
    found = np.concatenate(parts)
    # Shards of an earlier lexel may hold what a network made no number of. It is no landmark, and lies in the middle.
    real: Floats = found[np.isfinite(found).all(axis=1)]
    return real if len(real) else np.zeros_like(found[:1])


def _about(shards: Sequence[Shard]) -> dict[str, Any]:
    """What a map is made of: the encoder, by its fingerprint, the number of items, and how it is laid out."""
    made_by = shards[0].listing().partition("-")[0] if shards else ""
    total = sum(shard.rows() for shard in shards)
    return {"encoder": made_by, "items": total, "layout": [_FEW, _MANY, _SHARE, _NEIGHBOURS, _STEPS]}


def _read(path: Path, about: Mapping[str, Any]) -> TsneMap | None:
    try:
        with pq.ParquetFile(path) as file:
            made = json.loads((file.schema_arrow.metadata or {}).get(_SAME, b"{}"))
            if not _fits(made, about):
                return None
            table = file.read()
    except (OSError, pa.ArrowException, ValueError):  # a map of an older version has another kind of name
        return None
    return TsneMap(matrix(table["landmark"]), matrix(table["place"]))


def _fits(made: Any, about: Mapping[str, Any]) -> bool:
    if not isinstance(made, dict) or {**made, "items": 0} != {**about, "items": 0}:
        return False
    return bool(about["items"] <= 2 * made["items"] and made["items"] <= 2 * about["items"])


def _write(path: Path, about: Mapping[str, Any], made: TsneMap) -> None:
    columns = {"landmark": _lists(made.landmarks), "place": _lists(made.places)}
    table = pa.table(columns).replace_schema_metadata({_SAME: json.dumps(about).encode()})
    with replacing_file(path, put=os.replace if path.exists() else put_first) as temporary:
        pq.write_table(table, temporary)


def _lists(rows: Floats) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
