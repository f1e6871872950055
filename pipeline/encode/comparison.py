"""Compares what a source lists with what the ledger knows: which items are as they were, and what to do about the rest.

A file of the same name, size and time of change is not read. One that may have changed is read and not decoded: where
its bytes are known, under whatever name, the row that is there is used again.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from lexel.pipeline.iterators import batched
from lexel.pipeline.shards.ledger import Bools, Ledger, Status
from lexel.pipeline.shards.ledger_index import by_content, by_key
from lexel.pipeline.shards.shard import UNREADABLE
from lexel.pipeline.sources.item import FileState, Item, content_hash

_AT_ONCE = 1024
# The columns of the ledger that every item is compared with.
_COMPARED = ("status", "size", "changed", "described")


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


class _MustRead(NamedTuple):
    """That an item's bytes must be read, whose file is in `state` before that."""

    state: FileState | None


class _FileContent(NamedTuple):
    """What reading an item's bytes has shown: their hash, and the id that the item has by them."""

    digest: bytes
    id: str


class Comparison:
    """A source against a ledger. Filled while `changes` runs.

    `items` counts what the source lists. `seen` are the entries whose item it still lists, `touched` those whose file
    has changed and has the same bytes. `unreachable` counts files that cannot be looked at now, whose rows are kept.
    """

    def __init__(self, ledger: Ledger, *, retry: bool = False, verify: bool = False) -> None:
        self.ledger, self.retry, self.verify = ledger, retry, verify
        self.items = self.unreachable = 0
        self.seen: Bools = np.zeros(len(ledger), bool)
        self.touched = dict[int, tuple[FileState | None, bytes]]()
        self._unlisted = list[str]()
        self._keys, self._contents = by_key(ledger), by_content(ledger)
        self._columns = np.stack([ledger.ints(name) for name in _COMPARED], axis=1)
        self._sizes = np.unique(ledger.ints("size")[ledger.status != Status.FAILED])

    def changes(self, items: Iterable[Item], pool: ThreadPoolExecutor) -> Iterator[Change]:
        """Yield what is to be done, in the order of `items`; files that must be read are read on `pool`."""
        for some in batched(items, _AT_ONCE):
            pairs = self._found(some)
            answers = [self._at_once(item, known) for item, known in pairs]
            reads = {i: pool.submit(_read, pairs[i][0]) for i, one in enumerate(answers) if isinstance(one, _MustRead)}
            for i, ((item, known), answer) in enumerate(zip(pairs, answers, strict=True)):
                must = isinstance(answer, _MustRead)
                change = self._by_content(item, known, reads[i].result(), answer.state) if must else answer
                if change:
                    yield change

    def gone(self) -> Bools:
        """The entries whose items the source lists no more, and that are in no folder or tar that cannot be listed."""
        lost = ~self.seen & (self.ledger.status != Status.DEAD)
        for entry in np.flatnonzero(lost).tolist() if self._unlisted else ():
            uri = self._value("uri", entry)
            lost[entry] = not any(uri.startswith(f"{place}/") for place in self._unlisted)
        return np.asarray(lost)

    def _found(self, items: Sequence[Item]) -> list[tuple[Item, _Known | None]]:
        """Each item with what is known of it."""
        self.items += len(items)
        self._unlisted += [item.uri for item in items if item.unlisted]
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
        if known.status == Status.FAILED:
            return self._of_failed(item, known, state)
        if item.text is None and (self.verify or not _is_same(known, state)):
            changed = state is not None and known.size >= 0 and known.size != state.size
            if changed and state and not self._may_be_known(state):
                return Change(item, Kind.CHANGED, state=state)
            return _MustRead(state)
        return self._relisted(item, known, state)

    def _of_unreachable(self, item: Item, known: _Known | None) -> Change | _MustRead | None:
        if known is None or known.status == Status.FAILED:
            return Change(item, Kind.RETRIED if known else Kind.NEW)
        self.unreachable += 1
        return self._relisted(item, known, None)

    def _of_failed(self, item: Item, known: _Known, state: FileState | None) -> Change | None:
        unreadable = str(self._value("reason", known.entry)).startswith(UNREADABLE)
        if self.retry or self.verify or unreadable or (known.changed >= 0 and not _is_same(known, state)):
            return Change(item, Kind.RETRIED, state=state)
        return None

    def _relisted(self, item: Item, known: _Known, state: FileState | None) -> Change | _MustRead | None:
        """An item whose bytes are as they were: nothing, unless the source says something else of it."""
        own, there = self._value("own_id", known.entry), str(self._value("id", known.entry))
        if known.described == item.described() and (item.id == there if item.id else not own):
            return None
        if item.id or not own:
            return Change(item, Kind.RELISTED, known.entry, item.id or there, state or _state(known))
        if item.text is not None:
            return Change(item, Kind.RELISTED, known.entry, item.identify(item.text.encode()))
        return _MustRead(state)  # an id by the bytes, as it has now, needs the bytes

    def _by_content(
        self, item: Item, known: _Known | None, read: _FileContent | None, state: FileState | None
    ) -> Change | None:
        """What is to be done about an item whose bytes have been read; None if they could not be."""
        live = known is not None and known.status == Status.LIVE
        if read is None:
            if not live or known is None:
                return Change(item, Kind.NEW)
            self.unreachable += 1
            return None
        if known is not None and live and self._is_content(known, read):
            self.touched[known.entry] = (state, read.digest)
            same = known.described == item.described() and read.id == self._value("id", known.entry)
            return None if same else Change(item, Kind.RELISTED, known.entry, read.id, state)
        entry = int(self._contents.find([read.digest])[0])
        if entry >= 0:
            return Change(item, Kind.MOVED, entry, read.id, state)
        return Change(item, Kind.CHANGED if live else Kind.NEW, state=state)

    def _is_content(self, known: _Known, read: _FileContent) -> bool:
        """Whether an entry is of these bytes. Older versions stored no hash, but ids that are made of the bytes."""
        content = self._value("content", known.entry)
        return bool(content == read.digest if content else self._value("id", known.entry) == read.id)

    def _may_be_known(self, state: FileState) -> bool:
        place = int(np.searchsorted(self._sizes, state.size))
        return place < len(self._sizes) and int(self._sizes[place]) == state.size

    def _value(self, name: str, entry: int) -> "str | bytes | bool | None":
        value: str | bytes | bool | None = self.ledger.entries[name][entry].as_py()
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
