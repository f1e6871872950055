"""A collection that changes, encoded again and again, and compared with what a fresh encode of it holds."""

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import failures, rows, run, vectors
from support.making import jpeg

from lexel.encoders.encoder import Encoder
from lexel.pipeline.collection.fields import near_of
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.images import decoder_pool
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.ledger import Ledger
from lexel.pipeline.shards.ledger_file import read_ledger

_SECOND = 10**9
# The columns that must be equal to the last bit, however an item came to its row.
_EQUAL = (
    *("id", "uri", "text", "captions", "label", "metadata", "width", "height", "thumbnail", "phash", "waves"),
    *("content", "key", "own_id", "described"),
)


def aged(*places: Path) -> None:
    """Let a minute pass for files that were changed just now: none may change again without another time of change."""
    for place in places:
        for path in [place, *place.rglob("*")]:
            about = path.stat()
            if about.st_mtime_ns > time.time_ns() - 30 * _SECOND:
                os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns - 60 * _SECOND))


def same_size(path: Path, seed: int = 500) -> None:
    """Another picture in a file, of as many bytes."""
    size = path.stat().st_size
    content = next(content for content in map(jpeg, range(seed, seed + 500)) if len(content) <= size)
    path.write_bytes(content.ljust(size, b"\0"))


def ledger(out: Path) -> Ledger:
    found = read_ledger(out)
    assert found is not None
    return found


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells whether a file has been written again."""
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir() if p.suffix != ".lock"}


def assert_same_items(found: Path, wanted: Path) -> None:
    """The rows of two folders are of the same items, with the same values."""
    mine, theirs = (sorted(rows(out), key=lambda row: (row["uri"], row["id"])) for out in (found, wanted))
    assert [(row["uri"], row["id"]) for row in mine] == [(row["uri"], row["id"]) for row in theirs]
    for name in _EQUAL:
        assert [row.get(name) for row in mine] == [row.get(name) for row in theirs], name
    assert np.allclose(vectors(mine), vectors(theirs), atol=1e-5)
    for one, other in zip(mine, theirs, strict=True):
        # A weight at the border of two steps may be rounded either way.
        assert dict(one["terms"]) == {term: pytest.approx(weight, abs=0.01) for term, weight in other["terms"]}
    assert failures(found) == failures(wanted)
    assert _groups(found) == _groups(wanted)


def _groups(out: Path) -> dict[str, str | None]:
    found = ShardFolder.open(out)
    pairs = zip(found.ledger.entries["id"].to_pylist(), near_of(found).to_pylist(), found.ledger.live, strict=True)
    return {id_: near for id_, near, live in pairs if live}


@dataclass
class Collection:
    """A source, its shards in `out`, and how many pictures were decoded for them."""

    source: Path
    out: Path
    encoder: Encoder
    decoded: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def decode(self, content: bytes, **how: Any) -> Any:
        """Takes the place of `decode`."""
        self.decoded += 1
        return decoder_pool.decode(content, **how)

    def encode(self, **options: Any) -> ChangeCounts:
        """Encode what has changed."""
        self.decoded = 0
        return run(self.source, self.out, self.encoder, exact=True, **(self.options | options)).changes

    def check(self) -> None:
        """Encode again, which must do nothing, and afresh, which must give the same items."""
        decoded, before = self.decoded, files(self.out)
        assert not self.encode().any
        assert (self.decoded, files(self.out)) == (0, before)
        fresh = self.out.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        run(self.source, fresh, self.encoder, exact=True)
        assert_same_items(self.out, fresh)
        self.decoded = decoded
