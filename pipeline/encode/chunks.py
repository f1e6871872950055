"""Chunks: items that become one shard."""

from collections.abc import Sequence
from dataclasses import dataclass

from lexel.pipeline.sources.item import Item


@dataclass(frozen=True)
class Chunk:
    """The items of the shard of this number."""

    number: int
    items: Sequence[Item]
