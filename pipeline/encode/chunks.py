"""Chunks: runs of a source's items that become a shard each."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lexel.pipeline.iterators import batched
from lexel.pipeline.sources.item import Item


@dataclass(frozen=True)
class Chunk:
    """The items of one shard: the `number`-th run of `shard_size` items of a source."""

    number: int
    items: Sequence[Item]

    def digest(self) -> str:
        """A hash of the listing. A finished shard is kept only while this stays the same."""
        hashed = hashlib.blake2b(digest_size=16)
        for item in self.items:
            hashed.update(item.listing() + b"\n")
        return hashed.hexdigest()


def chunks(items: Iterable[Item], *, shard_size: int) -> Iterator[Chunk]:
    """Cut a source into chunks, lazily: a pure function of the source's list."""
    return (Chunk(number, piece) for number, piece in enumerate(batched(items, shard_size)))
