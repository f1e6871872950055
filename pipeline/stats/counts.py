"""Counts of the terms in a shard folder, in one pass; memory depends on the vocabulary, not on the number of items."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.job import Job
from lexel.pipeline.stats.over_said import FIRST

# Number of items given as examples.
NAMED = 5
# Number of heaviest terms whose mean weight is an item's certainty. On Flickr8k val it correlates with the rank of an
# image for its own captions (Spearman 0.34) better than the heaviest weight alone (0.25), the entropy of all weights
# (0.26) or their sum (0.18), which depends on a long tail of small weights.
HEAVIEST = 10

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Named = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class TermStats:
    """The counts over N items with a vocabulary of V terms.

    `holds` [V] is the number of items with each term, `said` [V] that of items with it among the first terms, and
    `weight` [V] the sum of its weights; `active[n]` is the number
    of items with n terms. An item's certainty is the mean weight of its HEAVIEST heaviest terms, missing ones being 0.
    """

    job: Job
    vocabulary: Vocabulary
    shards: int
    failed: int
    holds: Ints
    said: Ints
    weight: Floats
    active: Ints
    unknown: int  # terms of items that are not in the vocabulary
    unusable: int  # weights that are not above 0
    without: tuple[str, ...]  # the first items without a term
    most: Named  # the most certain items that have a term, with their certainty
    least: Named
    parquet: Mapping[str, int]  # bytes in the files, by column

    @property
    def items(self) -> int:
        """The number N of items."""
        return int(self.active.sum())

    @property
    def share(self) -> Floats:
        """The share of items with each term, [V]: SPLADE's activation probability in documents."""
        return self.holds / max(1, self.items)


def count_terms(folder: Path, *, progress: Progress = QUIET) -> TermStats:
    """Count the terms of the shards in `folder`. Raises ShardError if it has none, or was changed after encoding."""
    opened = ShardFolder.open(folder)
    progress.plan(total=opened.rows, done=0)
    tally = _Tally(opened.vocabulary)
    failed, parquet = len(opened.ledger.failures), dict[str, int]()
    for shard in opened.shards:
        for column, size in shard.sizes().items():
            parquet[column] = parquet.get(column, 0) + size
        for batch in shard.batches(columns=["uri", "text", "terms"], size=4096):
            tally.add(batch)
            progress.advance(encoded=batch.num_rows, failed=0)
    return tally.counts(opened.job, opened.vocabulary, len(opened.shards), failed, parquet)


@dataclass
class _Tally:
    """Counts that are accumulated batch by batch."""

    vocabulary: Vocabulary
    holds: Ints = field(init=False)
    said: Ints = field(init=False)
    weight: Floats = field(init=False)
    active: Ints = field(init=False)
    unknown: int = 0
    unusable: int = 0
    without: tuple[str, ...] = ()
    most: Named = ()
    least: Named = ()

    def __post_init__(self) -> None:
        self.terms = pa.array(self.vocabulary.terms, pa.string())
        self.holds = np.zeros(len(self.vocabulary), np.int64)
        self.said = np.zeros(len(self.vocabulary), np.int64)
        self.weight = np.zeros(len(self.vocabulary), np.float64)
        self.active = np.zeros(1, np.int64)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count one batch of items."""
        lengths, found, weights = entries(batch.column("terms"), self.terms)
        known = found >= 0
        self.unknown += int((~known).sum())
        self.unusable += int((~(weights > 0)).sum())
        self.holds += np.bincount(found[known], minlength=len(self.holds))
        first = known & (_places(lengths) < FIRST)
        self.said += np.bincount(found[first], minlength=len(self.said))
        self.weight += np.bincount(found[known], weights[known], minlength=len(self.holds))
        self._lengths(np.bincount(lengths, minlength=1))
        self._examples(batch, lengths, _certainty(lengths, weights))

    def _lengths(self, more: Ints) -> None:
        longer = max(len(self.active), len(more))
        self.active = np.pad(self.active, (0, longer - len(self.active))) + np.pad(more, (0, longer - len(more)))

    def _examples(self, batch: pa.RecordBatch, lengths: Ints, certainty: Floats) -> None:
        def named(rows: Ints) -> Iterator[tuple[str, float]]:
            for i in rows.tolist():
                text = batch.column("text")[i].as_py()
                yield text or batch.column("uri")[i].as_py(), float(certainty[i])

        self.without += tuple(name for name, _ in named(np.flatnonzero(lengths == 0)[: NAMED - len(self.without)]))
        there = np.flatnonzero(lengths > 0)
        order = there[np.argsort(-certainty[there], kind="stable")]
        # Both sorts are stable, so among ties the first item is given, whatever the batches are.
        self.most = tuple(sorted([*self.most, *named(order[:NAMED])], key=lambda pair: -pair[1])[:NAMED])
        order = there[np.argsort(certainty[there], kind="stable")]
        self.least = tuple(sorted([*self.least, *named(order[:NAMED])], key=lambda pair: pair[1])[:NAMED])

    def counts(
        self, job: Job, vocabulary: Vocabulary, number: int, failed: int, parquet: Mapping[str, int]
    ) -> TermStats:
        """The result."""
        found = (self.holds, self.said, self.weight, self.active, self.unknown, self.unusable)
        return TermStats(job, vocabulary, number, failed, *found, self.without, self.most, self.least, parquet)


def entries(column: Any, terms: pa.Array) -> tuple[Ints, Ints, Floats]:
    """A map column of B rows with P (term, weight) entries in all: each row's length [B], each entry's index in `terms`
    [P], -1 if it is unknown, and its weight [P].
    """
    offsets = column.offsets.to_numpy().astype(np.int64)
    inside = slice(int(offsets[0]), int(offsets[-1]))
    found = pc.fill_null(pc.index_in(column.keys[inside], terms), -1)
    weights = column.items[inside].to_numpy(zero_copy_only=False).astype(np.float64)
    return np.diff(offsets), found.to_numpy(zero_copy_only=False).astype(np.int64), weights


def _places(lengths: Ints) -> Ints:
    """The place of each entry within its row, from 0, [P]."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _certainty(lengths: Ints, weights: Floats) -> Floats:
    """The mean weight of each row's ten heaviest entries, [B]."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    weights = weights[np.lexsort((-weights, row))]
    first = _places(lengths) < HEAVIEST
    return np.bincount(row[first], weights[first], minlength=len(lengths)) / HEAVIEST
