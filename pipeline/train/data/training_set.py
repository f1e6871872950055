"""What a head or a tower is trained on: the features of pictures, encoded once, and their captions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lexel.encoders.vocabulary.vocabulary import Vocabulary

Array = npt.NDArray[np.float16]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BatchRows:
    """What a batch is made of: the rows of B pictures, of a caption of each, and which view of it is looked at; [B]."""

    pictures: Rows
    captions: Rows
    views: Rows


@dataclass(frozen=True)
class Batch:
    """B pictures and a caption of each: features [B, F], the pictures' rows [B] and the captions' rows [B]."""

    features: Tensor
    pictures: Rows
    captions: Rows


@dataclass(frozen=True)
class TrainingSet:
    """Pictures of one split. `views[v]` [P, F] are the features of view v of each, view 0 being the whole picture.

    `texts` are all captions, in order of their pictures; `owner` [C] is each one's picture. `labels` are the pictures'
    labels, None where the source has none.
    """

    views: tuple[Array, ...]
    texts: tuple[str, ...]
    owner: Rows
    labels: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        return len(self.views[0])

    @cached_property
    def first(self) -> Rows:
        """Where each picture's captions begin, [P + 1]."""
        return np.searchsorted(self.owner, np.arange(len(self) + 1))

    @cached_property
    def meaning(self) -> Rows:
        """A number for each caption [C] that equal captions share: they cannot be told apart, so neither is wrong."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(text.lower(), len(numbers)) for text in self.texts], dtype=np.int64)

    @property
    def captioned(self) -> Rows:
        """The rows of the pictures that have a caption."""
        return np.flatnonzero(np.diff(self.first))

    def features(self, rows: Rows, views: Rows | None = None) -> Tensor:
        """The features of pictures `rows` [B], in the given views, as float32 [B, F]."""
        if views is None:
            return torch.from_numpy(self.views[0][rows].astype(np.float32))
        picked = np.empty((len(rows), self.views[0].shape[1]), np.float32)
        for number, view in enumerate(self.views):
            picked[views == number] = view[rows[views == number]]
        return torch.from_numpy(picked)

    def batches(self, *, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, as `draws` has them."""
        for draw in self.draws(size=size, views=len(self.views), seed=seed, epoch=epoch):
            yield Batch(self.features(draw.pictures, draw.views), draw.pictures, draw.captions)

    def sample(self, most: int) -> Tensor:
        """The features of whole pictures, evenly chosen where there are more than `most`."""
        return self.features(np.arange(len(self))[:: -(-len(self) // most)])

    def draws(self, *, size: int, views: int, seed: int, epoch: int) -> Iterator[BatchRows]:
        """What an epoch looks at, a function of seed and epoch: each caption about once, each picture once a batch.

        A pass over the pictures is cut into batches of one size, which is `size` at most; what is left over, fewer
        pictures than batches, is left out.
        """
        dice = np.random.default_rng([seed, epoch])
        counts = np.diff(self.first)
        passes, batches = self._plan(size)
        each = len(self.captioned) // batches
        for _ in range(passes):
            order = dice.permutation(self.captioned)
            for rows in (order[i * each : (i + 1) * each] for i in range(batches)):
                captions = self.first[rows] + dice.integers(0, counts[rows])
                yield BatchRows(rows, captions, dice.integers(0, views, each))

    def steps(self, size: int) -> int:
        """How many batches of `size` an epoch has."""
        passes, batches = self._plan(size)
        return passes * batches

    def _plan(self, size: int) -> tuple[int, int]:
        """How many passes over the pictures an epoch has, and how many batches a pass."""
        pictures = len(self.captioned)
        return max(1, round(len(self.texts) / pictures)), -(-pictures // size)


@dataclass(frozen=True)
class TermCounts:
    """How often each term stands in each text: rows of a [C, V] table of which nearly all is zero."""

    terms: int
    flat: Rows
    often: npt.NDArray[np.float32]
    first: Rows

    @classmethod
    def of(cls, texts: Sequence[str], vocabulary: Vocabulary) -> "TermCounts":
        """Count the terms of `texts`."""
        found = [vocabulary.count(text) for text in texts]
        flat = np.array([vocabulary.index[t] for counts in found for t in counts], dtype=np.int64)
        often = np.array([n for counts in found for n in counts.values()], dtype=np.float32)
        return cls(len(vocabulary), flat, often, np.cumsum([0, *map(len, found)]))

    def __len__(self) -> int:
        return len(self.first) - 1

    def rows(self, rows: Rows) -> Tensor:
        """The rows of the table, dense, float32 [B, V]."""
        table = torch.zeros(len(rows), self.terms)
        lengths = self.first[rows + 1] - self.first[rows]
        start = np.repeat(self.first[rows] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        at = start + np.arange(lengths.sum())
        line = np.repeat(np.arange(len(rows)), lengths)
        table[torch.from_numpy(line), torch.from_numpy(self.flat[at])] = torch.from_numpy(self.often[at])
        return table
