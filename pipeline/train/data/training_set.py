"""The data that heads and towers are trained on: image features and captions."""

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
    """The indices that make up a batch: B images, a caption of each, and the view of each image; [B] each."""

    pictures: Rows
    captions: Rows
    views: Rows


@dataclass(frozen=True)
class Batch:
    """B images and a caption of each: features [B, F], the images' indices [B] and the captions' indices [B]."""

    features: Tensor
    pictures: Rows
    captions: Rows


@dataclass(frozen=True)
class TrainingSet:
    """P images and C captions of one split. `views[v]` [P, F] are the features of view v; view 0 is the whole image.

    `texts` are all captions, in the order of the images; `owner` [C] is the index of each one's image. `labels` are the
    images' labels or None.
    """

    views: tuple[Array, ...]
    texts: tuple[str, ...]
    owner: Rows
    labels: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        return len(self.views[0])

    @cached_property
    def first(self) -> Rows:
        """The index of each image's first caption, [P + 1]."""
        return np.searchsorted(self.owner, np.arange(len(self) + 1))

    @cached_property
    def meaning(self) -> Rows:
        """A number for each caption [C], equal for equal captions, which must not be each other's negatives."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(text.lower(), len(numbers)) for text in self.texts], dtype=np.int64)

    @property
    def captioned(self) -> Rows:
        """The indices of the images that have a caption."""
        return np.flatnonzero(np.diff(self.first))

    def features(self, rows: Rows, views: Rows | None = None) -> Tensor:
        """The features of images `rows` [B] in `views` [B], by default the whole images, as float32 [B, F]."""
        if views is None:
            return torch.from_numpy(self.views[0][rows].astype(np.float32))
        picked = np.empty((len(rows), self.views[0].shape[1]), np.float32)
        for number, view in enumerate(self.views):
            picked[views == number] = view[rows[views == number]]
        return torch.from_numpy(picked)

    def batches(self, *, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, with the indices of `draws`."""
        for draw in self.draws(size=size, views=len(self.views), seed=seed, epoch=epoch):
            yield Batch(self.features(draw.pictures, draw.views), draw.pictures, draw.captions)

    def sample(self, most: int) -> Tensor:
        """The features of at most `most` whole images, evenly spaced."""
        return self.features(np.arange(len(self))[:: -(-len(self) // most)])

    def draws(self, *, size: int, views: int, seed: int, epoch: int) -> Iterator[BatchRows]:
        """The batches of an epoch as indices, determined by seed and epoch: each caption is drawn about once.

        Each pass has another caption of every image that has as many, in random order, and is cut into batches of equal
        size, at most `size`; the remainder, fewer images than there are batches, is dropped. No image is twice in a
        batch. Captions of images that have many more than others wait for another epoch.
        """
        dice = np.random.default_rng([seed, epoch])
        order = np.lexsort((dice.random(len(self.owner)), self.owner))
        place = np.arange(len(order)) - self.first[self.owner[order]]
        for number, batches in enumerate(self._plan(size)):
            captions = dice.permutation(order[place == number])
            for some in np.split(captions[: len(captions) // batches * batches], batches):
                yield BatchRows(self.owner[some], some, dice.integers(0, views, len(some)))

    def steps(self, size: int) -> int:
        """The number of batches of `size` per epoch."""
        return sum(self._plan(size))

    def _plan(self, size: int) -> list[int]:
        """The number of batches in each pass of an epoch. Passes of less than half a batch are left out."""
        counts = np.diff(self.first)
        images = [int((counts > number).sum()) for number in range(counts.max(initial=0))]
        return [-(-many // size) for many in images if 2 * many >= min(size, images[0])]


@dataclass(frozen=True)
class TermCounts:
    """The term counts of C texts, a sparse matrix [C, V] in CSR format."""

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
        """Rows of the matrix as a dense float32 tensor [B, V]."""
        table = torch.zeros(len(rows), self.terms)
        lengths = self.first[rows + 1] - self.first[rows]
        start = np.repeat(self.first[rows] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        at = start + np.arange(lengths.sum())
        line = np.repeat(np.arange(len(rows)), lengths)
        table[torch.from_numpy(line), torch.from_numpy(self.flat[at])] = torch.from_numpy(self.often[at])
        return table
