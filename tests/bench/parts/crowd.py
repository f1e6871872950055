"""Collections of up to millions of random items as real shards, made in seconds: nothing in Python is done per term."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from lexel.encoders import Encoder
from lexel.encoders.term_weights import quantise
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.shards.job import Job, write_job
from lexel.pipeline.shards.shard import write_shard
from lexel.pipeline.shards.table import schema

FINGERPRINT = "1" * 16
# Names of the commonest terms do not say so: ranks are what `words` is sorted by.
_SIZE, _HEAD = 5_000, 30
# How much of a query's vector is none of its words' doing; of how many words an item has the one most like it; and how
# much more it weighs for that. Over a collection a query's cosine and its sum of terms are then correlated by 0.25 to
# 0.3; with photographs and captions (Flickr8k, MobileNetV2 and MiniLM) by 0.67, so that these here are the harder.
_NOISE, _TRIED, _BENT = 0.3, 4, 0.4
# How fast the variance of a vector's numbers falls off: as that of 7,000 photographs' (MobileNetV2, 512 numbers), of
# which 8 principal directions hold 0.44, 32 hold 0.79 and 128 hold 0.98. In vectors without any such structure no graph
# finds the nearest ones.
_FALL = (16, 2.5)
_PLACES = ("beach", "snow", "city")

Floats = npt.NDArray[np.float32]
Ranks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Ranks [B, T] and weights [B, T] of each item's terms, the heaviest first, and unit vectors [B, D]."""

    first: int
    ranks: Ranks
    weights: Floats
    vectors: Floats

    @property
    def ids(self) -> list[str]:
        return [f"{self.first + i:09d}" for i in range(len(self.ranks))]


@dataclass(frozen=True)
class Crowd:
    """`count` items of `terms` terms and `dim` numbers each; `seed` settles all of it. Nothing is kept in memory.

    How many items hold a term falls off with its rank as it does for real words (Zipf, Mandelbrot): the commonest is
    in a third of all items. An item's terms are one of each class of ranks mod `terms`, so that they are distinct. Each
    word has a direction; an item has words of a direction like its vector's, and a query a vector like its words'.
    """

    count: int
    dim: int = 128
    terms: int = 64
    seed: int = 0
    shard_size: int = 10_000
    encoder: Encoder | None = None  # whose words the terms are, and who can search for them; `dim` must be its own

    @cached_property
    def vocabulary(self) -> Vocabulary:
        if self.encoder:
            return self.encoder.vocabulary
        words = tuple(f"word{i}" for i in range(_SIZE))
        return Vocabulary(words, {word: word for word in words}, tuple(0.5 * _HEAD / (_HEAD + i) for i in range(_SIZE)))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.vocabulary.terms)

    def batches(self) -> Iterator[Batch]:
        """The items, a shard's worth at a time, the same ones each time."""
        for number, first in enumerate(range(0, self.count, self.shard_size)):
            dice = np.random.default_rng([self.seed, number])
            yield self._batch(dice, first, min(self.shard_size, self.count - first))

    def queries(self, count: int, *, words: int = 5) -> Batch:
        """More items, of `words` terms of weight 1 each, to search by: words fall as often as items hold them."""
        found, dice = (
            self._batch(np.random.default_rng([self.seed, 1 << 31]), 0, count),
            np.random.default_rng(self.seed),
        )
        ranks = dice.permuted(found.ranks, axis=1)[:, :words]
        weights = np.ones(ranks.shape, np.float32)
        vectors = self._directions[ranks].sum(axis=1) / words**0.5 + _NOISE * self._noise(dice, count)
        return Batch(0, ranks, weights, _units(vectors))

    def write(self, folder: Path) -> Path:
        """All of them as shards in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.vocabulary.save(folder / "vocabulary.json")
        write_job(folder, self._job())
        for number, batch in enumerate(self.batches()):
            write_shard(
                folder, number, self._table(batch), listing=f"{self._fingerprint}-{self.seed}-{number}", failures=[]
            )
        return folder

    @property
    def _fingerprint(self) -> str:
        return self.encoder.fingerprint if self.encoder else FINGERPRINT

    def _batch(self, dice: np.random.Generator, first: int, size: int) -> Batch:
        vectors = _units(self._noise(dice, size))
        likeness = vectors @ self._directions.T
        ranks = np.stack([self._fitting(dice, start, likeness) for start in range(self.terms)], axis=1)
        fits = np.exp(_BENT * np.take_along_axis(likeness, ranks, axis=1) / likeness.std())
        # Rare terms say more, and weigh more.
        weights = quantise((dice.gamma(2.0, 0.4, size=ranks.shape) + 0.1 * np.log1p(ranks / _HEAD)) * fits + 0.05)
        order = np.argsort(-weights, axis=1, kind="stable")
        ranks, weights = (np.take_along_axis(each, order, axis=1) for each in (ranks, weights))
        return Batch(first, ranks, weights, vectors)

    def _fitting(self, dice: np.random.Generator, start: int, likeness: Floats) -> Ranks:
        """Of some words drawn from a class for each item, the one most like it."""
        drawn = np.stack([self._drawn(dice, start, len(likeness)) for _ in range(_TRIED)], axis=1)
        best = np.take_along_axis(likeness, drawn, axis=1).argmax(axis=1)
        found: Ranks = np.take_along_axis(drawn, best[:, None], axis=1)[:, 0]
        return found

    def _drawn(self, dice: np.random.Generator, start: int, size: int) -> Ranks:
        there = np.arange(start, len(self.words), self.terms)
        share = np.cumsum(1.0 / (_HEAD + there))
        found: Ranks = there[np.searchsorted(share, dice.uniform(0, share[-1], size=size))]
        return found

    def _noise(self, dice: np.random.Generator, size: int) -> Floats:
        return np.asarray(dice.standard_normal((size, self.dim), np.float32) * self._spectrum)

    @cached_property
    def _directions(self) -> Floats:
        numbers = np.random.default_rng(self.seed).standard_normal((len(self.words), self.dim), np.float32)
        return np.asarray(numbers * self._spectrum, np.float32)

    @cached_property
    def _spectrum(self) -> Floats:
        """The standard deviations of a vector's numbers [D]; its length is 1 on average."""
        shares = (1 + np.arange(self.dim) / _FALL[0]) ** -_FALL[1]
        return np.sqrt(shares / shares.sum()).astype(np.float32)

    def _table(self, batch: Batch) -> pa.Table:
        size = len(batch.ranks)
        numbers = np.random.default_rng([self.seed, batch.first, 2])
        keys = pa.array(self.words).take(pa.array(batch.ranks.ravel()))
        offsets = pa.array(np.arange(0, batch.ranks.size + 1, batch.ranks.shape[1], dtype=np.int32))
        facts = [orjson.dumps({"place": _PLACES[i % 3], "stars": i % 5}).decode() for i in range(15)]
        columns = {
            "id": pa.array(batch.ids),
            "uri": pa.array([f"{id_}.jpg" for id_ in batch.ids]),
            "text": pa.nulls(size, pa.string()),
            "captions": pa.array([[]] * size, pa.list_(pa.string())),
            "label": pa.nulls(size, pa.string()),
            "metadata": pa.array(facts).take(pa.array((batch.first + np.arange(size)) % 15)),
            "width": pa.array(np.full(size, 640, np.int32)),
            "height": pa.array(np.full(size, 480, np.int32)),
            "thumbnail": pa.nulls(size, pa.binary()),
            "phash": pa.array(numbers.integers(-(2**63), 2**63 - 1, size=size)),
            "waves": pa.nulls(size, pa.binary(64)),
            "terms": pa.MapArray.from_arrays(offsets, keys, pa.array(batch.weights.ravel())),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(batch.vectors.ravel()), self.dim),
        }
        fields = schema(dim=self.dim, feature_dim=None)
        # What only an encode knows of files is not there, as in shards of older versions.
        found = [columns[f.name] if f.name in columns else pa.nulls(size, f.type) for f in fields]
        return pa.table(found, schema=fields)

    def _job(self) -> Job:
        by = self.encoder
        return Job(
            encoder=by.ref if by else "synthetic",
            name=by.name if by else "synthetic",
            fingerprint=self._fingerprint,
            vocabulary=self.vocabulary.hash,
            dim=self.dim,
            feature_dim=None,
            vector_weight={side: by.vector_weight(side) if by else 8.0 for side in ("text", "image")},
            root="/pictures",
            captions=False,
            shard_size=self.shard_size,
        )


def _units(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
