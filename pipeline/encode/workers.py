"""Prepares and encodes items on threads, in batches, ahead of the thread that writes shards."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
import pyarrow as pa
import torch

from lexel.encoders.model import Encoded, Model
from lexel.encoders.runtime import device
from lexel.encoders.runtime.device import available_cores
from lexel.pipeline.encode.chunks import Chunk
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.prepare import PreparedItem, min_side, prepare, whole
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.iterators import batched, prefetch
from lexel.pipeline.progress import Progress
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.remote.read_ahead import read_ahead
from lexel.pipeline.timings import timed

# One batch is computed on the GPU while the other is copied or its terms are selected.
_LANES_OF_GPU = 2
# Why an item failed that the networks answered with NaN or infinity.
NO_NUMBER = "the network gave no number for it"


@dataclass(frozen=True)
class BatchEncoder:
    """The threads of a running job: those of `pool` prepare items, the `lanes` threads of `network` encode them.

    `ahead` passes items on while those that are elsewhere are being fetched.
    """

    model: Model
    prepare: Callable[[Item], PreparedItem | Failure]
    pool: ThreadPoolExecutor
    network: ThreadPoolExecutor
    lanes: int
    batch_size: int
    feature_dim: int | None
    progress: Progress
    ahead: Callable[[Iterable[Item]], Iterator[Item]]

    def encode(self, todo: Iterable[Chunk]) -> Iterator[tuple[int, pa.Table, list[Failure]]]:
        """Yield each chunk's number, table of rows and failures; preparing and encoding run ahead on threads."""
        pairs = ((chunk.number, item) for chunk in todo for item in self.ahead(chunk.items))
        depth = 2 * self.batch_size * (self.lanes + 1)
        outcomes = prefetch(self.pool, partial(_numbered, self.prepare), pairs, depth=depth)
        # One batch more than there are lanes, so that no thread waits while the oldest is yielded.
        done = prefetch(self.network, self._batch, _batches(outcomes, self.batch_size), depth=self.lanes + 1)
        for number, group in groupby(done, key=lambda batch: batch.number):
            yield number, *self._chunk(group)

    def _chunk(self, batches: Iterable["_EncodedBatch"]) -> tuple[pa.Table, list[Failure]]:
        rows: list[Row] = []
        failures: list[Failure] = []
        for batch in batches:
            rows += batch.rows
            failures += batch.failures
            self.progress.advance(encoded=len(batch.rows), failed=len(batch.failures))
        return table(rows, dim=self.model.dim, feature_dim=self.feature_dim), failures

    def _batch(self, numbered: tuple[int, Sequence[PreparedItem | Failure]]) -> "_EncodedBatch":
        number, outcomes = numbered
        good = [outcome for outcome in outcomes if isinstance(outcome, PreparedItem)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        if not good:
            return _EncodedBatch(number, [], failures)
        with timed("network"):
            encoded = self._forward(good)
        known: list[bool] = np.asarray(np.isfinite(encoded.vectors).all(axis=1)).tolist()
        rows = [row for row, fine in zip(_rows(good, encoded), known, strict=True) if fine]
        unknown = [one for one, fine in zip(good, known, strict=True) if not fine]
        failures += [Failure.of(one.item, one.id, NO_NUMBER, one.state) for one in unknown]
        return _EncodedBatch(number, rows, failures)

    def _forward(self, good: Sequence[PreparedItem]) -> Encoded:
        pixels = [r.pixels for r in good if r.pixels is not None]
        if not pixels:
            return self.model.texts([r.item.text or "" for r in good])
        batch = torch.stack(pixels)
        # Pinned memory lets the copy to the GPU overlap with the previous batch's computation.
        try:
            return self.model.images(batch.pin_memory() if self.model.device.type == "cuda" else batch)
        except torch.OutOfMemoryError as error:
            raise ConfigError(f"{len(good)} pictures at once are too many for this GPU; lower --batch-size.") from error


@dataclass(frozen=True)
class _EncodedBatch:
    """The rows and failures of a batch of chunk `number`."""

    number: int
    rows: list[Row]
    failures: list[Failure]


def _batches(
    outcomes: Iterable[tuple[int, PreparedItem | Failure]], size: int
) -> Iterator[tuple[int, Sequence[PreparedItem | Failure]]]:
    """Batches that never span two chunks, so that a shard does not depend on those before it."""
    for number, group in groupby(outcomes, key=lambda pair: pair[0]):
        for batch in batched((outcome for _, outcome in group), size):
            yield number, batch


def _numbered(
    prepare: Callable[[Item], PreparedItem | Failure], pair: tuple[int, Item]
) -> tuple[int, PreparedItem | Failure]:
    return pair[0], prepare(pair[1])


def _rows(good: Sequence[PreparedItem], encoded: Encoded) -> list[Row]:
    return [
        Row(
            r.item,
            r.id,
            r.width,
            r.height,
            encoded.terms[i],
            encoded.vectors[i],
            None if encoded.features is None else encoded.features[i],
            r.preview,
            r.content,
            r.state,
            r.facts,
        )
        for i, r in enumerate(good)
    ]


@contextmanager
def batch_encoder(
    model: Model, options: EncodeOptions, *, feature_dim: int | None, progress: Progress
) -> Iterator[BatchEncoder]:
    """A BatchEncoder with running threads: on a CPU `workers` that encode, and one more that prepare items.

    On leaving, work that has not begun is cancelled.
    """
    # A view is cropped from the image at full resolution.
    least = min_side(model, preview=options.preview) if options.view is whole else None
    prepare_item = partial(prepare, model, view=options.view, preview=options.preview, facts=options.exif, least=least)
    own = options.workers or available_cores()
    count = own if model.device.type == "cpu" else _LANES_OF_GPU
    # A thread that prepares often waits for its decoder process; one more keeps the cores busy.
    size = options.batch_size or device.batch_size(model.device)
    with threads(own + 1) as pool, lanes(count, model.device) as network, read_ahead() as ahead:
        try:
            yield BatchEncoder(model, prepare_item, pool, network, count, size, feature_dim, progress, ahead)
        finally:
            for each in (pool, network):
                each.shutdown(wait=False, cancel_futures=True)


def lanes(count: int, on: torch.device) -> ThreadPoolExecutor:
    """The threads that compute. On a GPU each has a stream: on a common one the copy of one's batch would wait until
    the other's is computed.
    """
    if on.type != "cuda":
        return threads(count)
    return ThreadPoolExecutor(count, initializer=lambda: torch.cuda.set_stream(_stream(on)))


def _stream(on: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(on)  # type: ignore[no-untyped-call]


def threads(count: int) -> ThreadPoolExecutor:
    """A pool of threads in which torch uses one core each, so that each core computes its own batch.

    Cores that share one matrix product busy-wait for each other; with other work on two cores that took three to six
    times the CPU time.
    """
    return ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
