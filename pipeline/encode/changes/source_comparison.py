"""Compares what a source lists with what the ledger knows: which items are as they were, and what to do about the rest.

A file of the same name, size and time of change is not read. One that may have changed is read and not decoded: where
its bytes are known, under whatever name, the row that is there is used again.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from lexel.pipeline.iterators import batched
from lexel.pipeline.shards.ledger import Bools, EntryStatus, Ints, Ledger
from lexel.pipeline.shards.ledger_index import by_content, by_key
from lexel.pipeline.shards.part import Part
from lexel.pipeline.shards.shard import UNREADABLE
from lexel.pipeline.sources.item import FileState, Item, content_hash

# Few, since their bytes may be in memory with them, and the garbage collector takes as long as all else with many.
_AT_ONCE = 64
# The columns of the ledger that every item is compared with.
_COMPARED = ("status", "size", "changed", "described", "own_id")
# A file that was changed so many nanoseconds before it was read may change again without another time of change.
_RACY = 2 * 10**9


class Kind(Enum):
    """What has become of an item since it was encoded."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"  # or copied: its bytes are known under another name
    RELISTED = "relisted"  # other captions, label or metadata
    RETRIED = "retried"  # it could not be encoded


@dataclass(frozen=True)
class Change:
    """What is to be done about an item: to copy the row of `entry` for it under `id`, or to encode it (-1)."""

    item: Item
    kind: Kind
    entry: int = -1
    id: str = ""
    state: FileState | None = None


class _Known(NamedTuple):
    """An entry of the ledger, as every item is compared with it."""

    entry: int
    status: int
    size: int
    changed: int
    described: int
    own_id: int


class _MustRead(NamedTuple):
    """That an item's bytes must be read, whose file is in `state` before that."""

    state: FileState | None


class _FileContent(NamedTuple):
    """What reading an item's bytes has shown: their hash, and the id that the item has by them."""

    digest: bytes
    id: str


class Comparison:
    """The items of a part of a source against the ledger of that part. Filled while `changes` runs.

    `items` counts what the source lists. `seen` are the entries whose item it still lists, `touched` those whose file
    has changed and has the same bytes. `unreachable` counts files that cannot be looked at now, whose rows are kept.
    `began` is when files began to be read, in nanoseconds.
    """

    def __init__(self, ledger: Ledger, *, retry: bool = False, verify: bool = False) -> None:
        self.ledger, self.retry, self.verify = ledger, retry, verify
        self.began = time.time_ns()
        self.items = self.unreachable = 0
        self.seen: Bools = np.zeros(len(ledger), bool)
        self.touched = dict[int, tuple[FileState | None, bytes]]()
        self._unlisted = list[str]()
        self._part = Part(ledger.index, ledger.of)
        self._texts = {name: ledger.entries[name].combine_chunks() for name in ("uri", "id", "content", "reason")}
        self._keys, self._contents = by_key(ledger), by_content(ledger)
        self._columns = np.stack([ledger.ints(name) for name in _COMPARED], axis=1)
        self._sizes = np.unique(ledger.ints("size")[ledger.status != EntryStatus.FAILED])

    def changes(self, items: Iterable[Item], pool: ThreadPoolExecutor) -> Iterator[Change]:
        """Yield what is to be done, in the order of `items`; files that must be read are read on `pool`."""
        for some in batched(self._own(items), _AT_ONCE):
            pairs = self._found(some)
            answers = [self._at_once(item, known) for item, known in pairs]
            reads = {i: pool.submit(_read, pairs[i][0]) for i, one in enumerate(answers) if isinstance(one, _MustRead)}
            for i, (item, known) in enumerate(pairs):
                answer = answers[i]
                if isinstance(answer, _MustRead):
                    answer = self._by_content(item, known, reads[i].result(), answer.state)
                if answer:
                    yield answer

    def gone(self) -> Bools:
        """The entries whose items the source lists no more, and that are in no folder or tar that cannot be listed."""
        lost = ~self.seen & (self.ledger.status != EntryStatus.DEAD)
        for entry in np.flatnonzero(lost).tolist() if self._unlisted else ():
            uri = str(self._value("uri", entry))
            lost[entry] = not any(uri.startswith(f"{place}/") for place in self._unlisted)
        return np.asarray(lost)

    def is_racy(self, changed: Ints) -> Bools:
        """Which of these times of change are so late that a file may have been changed again since it was read."""
        return np.asarray(changed > self.began - _RACY)

    def _own(self, items: Iterable[Item]) -> Iterator[Item]:
        """Those of the part. What is in a folder that cannot be listed may be of any part."""
        for item in items:
            if item.unlisted:
                self._unlisted.append(item.uri)
            if self._part.has(item.uri):
                yield item

    def _found(self, items: Sequence[Item]) -> list[tuple[Item, _Known | None]]:
        """Each item with what is known of it."""
        self.items += len(items)
        entries = self._keys.find([item.key() for item in items])
        values = self._columns[entries].tolist() if len(self.ledger) else []
        pairs = list[tuple[Item, _Known | None]]()
        for i, (item, entry) in enumerate(zip(items, entries.tolist(), strict=True)):
            if entry >= 0 and self.seen[entry]:
                pairs.append(self._further(item))
            else:
                pairs.append((item, _Known(entry, *values[i]) if entry >= 0 else None))
            if (known := pairs[-1][1]) is not None:
                self.seen[known.entry] = True
        return pairs

    def _further(self, item: Item) -> tuple[Item, _Known | None]:
        """A further item of a name that was there before."""
        while True:
            item = replace(item, occurrence=item.occurrence + 1)
            entry = int(self._keys.find([item.key()])[0])
            if entry < 0:
                return item, None
            if not self.seen[entry]:
                return item, _Known(entry, *self._columns[entry].tolist())

    def _at_once(self, item: Item, known: _Known | None) -> Change | _MustRead | None:
        """What is to be done, as far as it can be told without reading the file."""
        try:
            state = item.state()
        except (OSError, ValueError):
            return self._of_unreachable(item, known)
        if known is None:
            known_size = state is not None and self._may_be_known(state)
            return _MustRead(state) if known_size else Change(item, Kind.NEW, state=state)
        if known.status == EntryStatus.FAILED:
            return self._of_failed(item, known, state)
        if item.text is None and (self.verify or not _is_same(known, state)):
            changed = state is not None and known.size >= 0 and known.size != state.size
            if changed and state and not self._may_be_known(state):
                return Change(item, Kind.CHANGED, state=state)
            return _MustRead(state)
        return self._relisted(item, known, state)

    def _of_unreachable(self, item: Item, known: _Known | None) -> Change | _MustRead | None:
        if known is None or known.status == EntryStatus.FAILED:
            return Change(item, Kind.RETRIED if known else Kind.NEW)
        self.unreachable += 1
        return self._relisted(item, known, None)

    def _of_failed(self, item: Item, known: _Known, state: FileState | None) -> Change | _MustRead | None:
        unreadable = str(self._value("reason", known.entry)).startswith(UNREADABLE)
        again = unreadable or (item.id and item.id != self._value("id", known.entry))
        if not (self.retry or again or self.verify) and (known.size < 0 or _is_same(known, state)):
            return None
        may_be_same = state is not None and (known.size == state.size or self._may_be_known(state))
        return Change(item, Kind.RETRIED, state=state) if self.retry or not may_be_same else _MustRead(state)

    def _relisted(self, item: Item, known: _Known, state: FileState | None) -> Change | _MustRead | None:
        """An item whose bytes are as they were: nothing, unless the source says something else of it."""
        own = known.own_id > 0
        there = str(self._value("id", known.entry)) if item.id or own else ""
        if known.described == item.described() and (item.id == there if item.id else not own):
            return None
        there = there or str(self._value("id", known.entry))
        if item.id or not own:
            return Change(item, Kind.RELISTED, known.entry, item.id or there, state or _state(known))
        if item.text is not None:
            return Change(item, Kind.RELISTED, known.entry, item.identify(item.text.encode()))
        return _MustRead(state)  # an id by the bytes, as it has now, needs the bytes

    def _by_content(
        self, item: Item, known: _Known | None, read: _FileContent | None, state: FileState | None
    ) -> Change | None:
        """What is to be done about an item whose bytes have been read; None if they could not be."""
        live = known is not None and known.status == EntryStatus.LIVE
        failed = known is not None and known.status == EntryStatus.FAILED
        if read is None:
            if not live:
                return Change(item, Kind.RETRIED if failed else Kind.NEW)
            self.unreachable += 1
            return None
        if known is not None and self._is_content(item, known, read):
            self._touch(known, state, read.digest)
            same = known.described == item.described() and read.id == self._value("id", known.entry)
            return None if same or failed else Change(item, Kind.RELISTED, known.entry, read.id, state)
        entry = int(self._contents.find([read.digest])[0])
        if entry >= 0:
            return Change(item, Kind.MOVED, entry, read.id, state)
        return Change(item, Kind.CHANGED if live else Kind.RETRIED if failed else Kind.NEW, state=state)

    def _touch(self, known: _Known, state: FileState | None, digest: bytes) -> None:
        """Remember the state of a file with the same bytes, if the ledger would say something else of it."""
        size, changed = state or (-1, -1)
        told = (size, -1 if self.is_racy(np.array(changed)) else changed)
        if told != (known.size, known.changed) or self._value("content", known.entry) != digest:
            self.touched[known.entry] = (state, digest)

    def _is_content(self, item: Item, known: _Known, read: _FileContent) -> bool:
        """Whether an entry is of these bytes.

        What failed has no hash of them, nor have rows of older versions, but ids that are made of the bytes. A row with
        an id of its own is taken for that of the file, since nothing was known of changes when it was made.
        """
        if content := self._value("content", known.entry):
            return content == read.digest
        return read.id == self._value("id", known.entry) and not (item.id and known.status == EntryStatus.FAILED)

    def _may_be_known(self, state: FileState) -> bool:
        place = int(np.searchsorted(self._sizes, state.size))
        return place < len(self._sizes) and int(self._sizes[place]) == state.size

    def _value(self, name: str, entry: int) -> str | bytes | None:
        value: str | bytes | None = self._texts[name][entry].as_py()
        return value


def _is_same(known: _Known, state: FileState | None) -> bool:
    """Whether a file is as it was; what keeps no record of changes is taken for unchanged."""
    return state is None or (known.size, known.changed) == state


def _state(known: _Known) -> FileState | None:
    return FileState(known.size, known.changed) if known.changed >= 0 else None


def _read(item: Item) -> _FileContent | None:
    try:
        content = item.content()
    except Exception:  # as in `prepare`: whatever an item causes is its own fault
        return None
    return _FileContent(content_hash(content), item.identify(content))
