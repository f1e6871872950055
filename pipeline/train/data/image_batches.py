"""Batches of images and captions for end-to-end training: decoded and copied to the device ahead of time."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from lexel.pipeline.encode.prepare import ImagePreprocessor, PreparedItem, prepare
from lexel.pipeline.errors import SourceError
from lexel.pipeline.iterators import batched, prefetch
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source
from lexel.pipeline.train.data.augment import view
from lexel.pipeline.train.data.training_set import BatchRows, Rows, TrainingSet


@dataclass(frozen=True)
class ImageBatch:
    """B images as pixels [B, 3, H, W] on the device, and a caption of each.

    `same` [B, B] is true where an image and a caption match: on the diagonal, and where captions are equal.
    """

    pixels: Tensor
    texts: tuple[str, ...]
    same: Tensor


class DeviceUploader:
    """Copies pixels to a device; to a GPU on its own CUDA stream, concurrently with computation."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = _stream(device) if device.type == "cuda" else None

    def send(self, pixels: Tensor) -> Tensor:
        """`pixels` on the device. Blocks until they are copied, so call it on a worker thread."""
        if self._stream is None:
            return pixels.to(self.device)
        with torch.cuda.stream(self._stream):
            uploaded = pixels.pin_memory().to(self.device, non_blocking=True)
        self._stream.synchronize()
        return uploaded

    def receive(self, uploaded: Tensor) -> Tensor:
        """The result of `send`, made safe for the current stream: its memory is not reused while that reads it."""
        if uploaded.is_cuda:
            uploaded.record_stream(torch.cuda.current_stream(self.device))
        return uploaded


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


class ImageDataset:
    """The captioned images of one split, decoded again in each epoch.

    `training_set` has their captions, and empty features. `failed` maps unreadable uris to the reason.
    """

    def __init__(
        self,
        source: Source,
        *,
        preprocessor: ImagePreprocessor,
        device: torch.device,
        workers: int | None = None,
        watch: Watch = unwatched,
    ) -> None:
        self.items = _merged(source.items())
        self.training_set = _training_set(self.items)
        self.failed: dict[str, str] = {}
        self._preprocessor, self._uploader, self._watch = preprocessor, DeviceUploader(device), watch
        self._workers = workers or max(1, os.cpu_count() or 1)

    def batches(self, *, size: int, views: int, seed: int, epoch: int) -> Iterator[ImageBatch]:
        """The batches of `TrainingSet.draws`, without images that cannot be read.

        Raises SourceError if none can.
        """
        draws = list(self.training_set.draws(size=size, views=views, seed=seed, epoch=epoch))
        for draw, good, pixels in self._read(f"Epoch {epoch + 1}", draws, size=size):
            if len(good) > 1:
                captions = draw.captions[good]
                meaning = torch.from_numpy(self.training_set.meaning[captions]).to(pixels.device)
                texts = tuple(self.training_set.texts[row] for row in captions)
                yield ImageBatch(pixels, texts, meaning[:, None] == meaning)

    def pictures(self, what: str, *, size: int, most: int | None = None) -> Iterator[tuple[Rows, Tensor]]:
        """One pass over the whole images, at most `most`: rows [b] and pixels [b, 3, H, W] of those that can be read.

        Raises SourceError if none can.
        """
        rows = self.training_set.captioned[:most]
        draws = [
            BatchRows(some, self.training_set.first[some], np.zeros_like(some))
            for some in map(np.array, batched(rows, size))
        ]
        for draw, good, pixels in self._read(what, draws, size=size):
            if len(good):
                yield draw.pictures[good], pixels

    def encoded(self, rows: Rows, vectors: Tensor) -> TrainingSet:
        """A TrainingSet of the images `rows` (ascending), their captions, and `vectors` [b, D] as features."""
        kept = np.flatnonzero(np.isin(self.training_set.owner, rows))
        return TrainingSet(
            views=(vectors.float().cpu().numpy().astype(np.float16),),
            texts=tuple(self.training_set.texts[i] for i in kept),
            owner=np.searchsorted(rows, self.training_set.owner[kept]),
            labels=tuple(self.training_set.labels[row] for row in rows),
        )

    def _read(self, what: str, draws: Sequence[BatchRows], *, size: int) -> Iterator[tuple[BatchRows, Rows, Tensor]]:
        """Each of `draws`, the positions of its readable images, and their pixels on the device."""
        some = False
        pool, uploaders = ThreadPoolExecutor(self._workers), ThreadPoolExecutor(1)
        try:
            with self._watch(what) as progress:
                progress.plan(total=sum(len(draw.pictures) for draw in draws), done=0)
                # A pipeline: one batch is computed, the next is copied, and the one after that decoded.
                decoded = self._decoded(pool, draws, depth=max(size, 2 * self._workers))
                for draw, good, pixels in prefetch(uploaders, self._uploaded, decoded, depth=2):
                    some = some or len(good) > 0
                    progress.advance(encoded=len(good), failed=len(draw.pictures) - len(good))
                    yield draw, good, self._uploader.receive(pixels)
        finally:
            for threads in (pool, uploaders):
                threads.shutdown(wait=False, cancel_futures=True)
        if not some:
            uri, reason = next(iter(self.failed.items()))
            raise SourceError(f"None of the {len(self.items):,} images can be read, such as {uri}: {reason}.")

    def _decoded(
        self, pool: ThreadPoolExecutor, draws: Iterable[BatchRows], *, depth: int
    ) -> Iterator[tuple[BatchRows, Sequence[PreparedItem | Failure]]]:
        tasks = ((number, draw, i) for number, draw in enumerate(draws) for i in range(len(draw.pictures)))
        outcomes = prefetch(pool, self._prepare, tasks, depth=depth)
        for _, group in groupby(outcomes, key=lambda outcome: outcome[0]):
            found = list(group)
            for _, _, outcome in found:
                if isinstance(outcome, Failure):
                    self.failed[outcome.uri] = outcome.reason
            yield found[0][1], [outcome for _, _, outcome in found]

    def _prepare(self, task: tuple[int, BatchRows, int]) -> tuple[int, BatchRows, PreparedItem | Failure]:
        number, draw, i = task
        return number, draw, prepare(self._preprocessor, self.items[draw.pictures[i]], view=view(int(draw.views[i])))

    def _uploaded(self, decoded: tuple[BatchRows, Sequence[PreparedItem | Failure]]) -> tuple[BatchRows, Rows, Tensor]:
        draw, outcomes = decoded
        good = {
            i: one.pixels for i, one in enumerate(outcomes) if isinstance(one, PreparedItem) and one.pixels is not None
        }
        pixels = self._uploader.send(torch.stack(list(good.values()))) if good else torch.empty(0)
        return draw, np.fromiter(good, np.int64, len(good)), pixels


def _merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Items with the same uri merged to one: as two they could be negatives of each other in a batch."""
    found: dict[str, Item] = {}
    for item in items:
        captions = found[item.uri].captions if item.uri in found else ()
        found[item.uri] = replace(item, captions=tuple(dict.fromkeys(captions + item.captions)))
    return tuple(found.values())


def _training_set(items: Sequence[Item]) -> TrainingSet:
    return TrainingSet(
        views=(np.zeros((len(items), 0), np.float16),),
        texts=tuple(caption for item in items for caption in item.captions),
        owner=np.repeat(np.arange(len(items)), [len(item.captions) for item in items]),
        labels=tuple(item.label for item in items),
    )
