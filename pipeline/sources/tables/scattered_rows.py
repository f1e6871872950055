"""Rows of one picture that are not neighbours, and ids that two pictures share, found before items are made.

Of each run of rows two hashes are kept, 16 bytes; captions only of the pictures whose rows are scattered.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lexel.pipeline.errors import SourceError


class RowKey(NamedTuple):
    """What a row is about: its number, its picture and its own id."""

    number: int
    uri: str
    id: str | None


Keys = Callable[[], Iterable[RowKey]]


@dataclass(frozen=True)
class TableState:
    """A table as it is on disk now: if it is unchanged, so is what is known of it."""

    path: Path
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "TableState":
        """The state of the table at `path`."""
        about = path.stat()
        return cls(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=8)
def scattered(state: TableState, keys: Keys) -> frozenset[int]:
    """The hashes of uris that stand on rows apart. Raises SourceError where two pictures share an id."""
    uris, pairs = array("q"), array("q")
    for key in _first_of_runs(keys()):
        uris.append(hash(key.uri))
        if key.id is not None:
            pairs.extend((hash(key.id), hash(key.uri)))
    apart = _repeated(np.frombuffer(uris, np.int64))
    shared = _shared(np.frombuffer(pairs, np.int64).reshape(-1, 2))
    if shared:
        _check_ids(state.path.name, keys(), shared, apart)
    return apart


def _first_of_runs(keys: Iterable[RowKey]) -> Iterator[RowKey]:
    before = None
    with suppress(SourceError):  # what is broken is said when its row is reached
        for key in keys:
            if key.uri != before:
                yield key
            before = key.uri


def _repeated(hashes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> frozenset[int]:
    ordered = np.sort(hashes)
    return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


def _shared(pairs: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> frozenset[int]:
    """The hashes of ids that stand beside two uris."""
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    same = (ordered[1:, 0] == ordered[:-1, 0]) & (ordered[1:, 1] != ordered[:-1, 1])
    return frozenset(ordered[1:, 0][same].tolist())


def _check_ids(name: str, keys: Iterable[RowKey], shared: frozenset[int], apart: frozenset[int]) -> None:
    seen, first = set[int](), dict[str, RowKey]()
    for key in _first_of_runs(keys):
        if (uri := hash(key.uri)) in apart:
            if uri in seen:
                continue  # a picture has the id of its first row
            seen.add(uri)
        if key.id is not None and hash(key.id) in shared:
            other = first.setdefault(key.id, key)
            if other.uri != key.uri:
                raise SourceError(
                    f"{name}, rows {other.number} and {key.number}: {other.uri} and {key.uri} have the same id "
                    f"{key.id[:100]!r}; give each picture an id of its own, or take the column out."
                )
