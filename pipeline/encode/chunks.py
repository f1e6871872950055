"""Chunks: consecutive items of a source that become one shard."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lexel.pipeline.iterators import batched
from lexel.pipeline.sources.item import Item


@dataclass(frozen=True)
class Chunk:
    """The items of one shard: the `number`-th block of `shard_size` items of a source, from 0."""

    number: int
    items: Sequence[Item]

    def digest(self) -> str:
        """A hash of the items' listing; a finished shard is kept only as long as it is unchanged."""
        hashed = hashlib.blake2b(digest_size=16)
        for item in self.items:
            hashed.update(item.listing() + b"\n")
        return hashed.hexdigest()


def chunks(items: Iterable[Item], *, shard_size: int) -> Iterator[Chunk]:
    """Cut a source into chunks, lazily; they depend on the order of its items alone."""
    return (Chunk(number, piece) for number, piece in enumerate(batched(items, shard_size)))
