"""A part of a job: the share of one of several workers."""

import hashlib
from dataclasses import dataclass

from lexel.pipeline.errors import ConfigError


@dataclass(frozen=True)
class Part:
    """Part `index` of `of`: it has the items whose uri's hash, or the shards whose number, is `index` modulo `of`.

    So an item's part depends on nothing else in its source.

    Parts may be counted from 0 or from 1: 1/4 to 4/4 are the same four parts as 0/4 to 3/4.
    """

    index: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Parse "i/n". Raises ConfigError if it is not of that form."""
        index, slash, of = text.partition("/")
        if not (slash and index.isdecimal() and of.isdecimal() and int(of) >= 1 and int(index) <= int(of)):
            raise ConfigError(f"--part {text} is invalid: write i/n, for example 1/4 for the first of four parts.")
        return cls(int(index), int(of))

    @property
    def whole(self) -> bool:
        """Whether this is the whole job."""
        return self.of == 1

    def has(self, uri: str) -> bool:
        """Whether the item of this uri belongs to this part."""
        if self.whole:
            return True
        digest = hashlib.blake2b(uri.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") % self.of == self.index % self.of

    def has_shard(self, number: int) -> bool:
        """Whether a shard belongs to this part."""
        return number % self.of == self.index % self.of

    @property
    def ordinal(self) -> int:
        """Its number, from 1."""
        return self.index % self.of or self.of


WHOLE = Part()
