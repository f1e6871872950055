"""Snapshots of an index (OpenSearch's points in time), which many searches share, so that few are open at once.

A page and those after it are cut from one snapshot; documents that change meanwhile change none of them.
"""

import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

import orjson
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

# How long after its last page a snapshot is kept, as OpenSearch writes it, and in seconds.
KEEP_ALIVE, _KEPT = "10m", 600.0
# Always the same copies of the shards, since others may order equal scores differently.
PREFERENCE = "lexel"
_PARAMS = {"keep_alive": KEEP_ALIVE, "preference": PREFERENCE}
# A node allows 300 on its shards by default. Past _FEW they are renewed so rarely that _MOST are enough for _KEPT.
_MOST, _FEW = 20, 10
# How often a snapshot is compared with the index, and how old it is before it is renewed when others are many.
_SECONDS, _SELDOM = 5.0, 60.0
# After a refusal none is asked for during so many seconds.
_PAUSE = 60.0
# What changes with every operation, and when it becomes visible.
_STATE = ",".join(
    [
        "indices.*.uuid",
        *(
            f"_all.primaries.{name}"
            for name in ("docs", "indexing.index_total", "indexing.delete_total", "refresh.external_total")
        ),
    ]
)


class Snapshots:
    """The snapshots of the index `name` that are open; safe to use from several threads."""

    def __init__(self, client: OpenSearch, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._name, self._clock, self._lock = client, name, clock, Lock()
        self._open: dict[str, _Times] = {}  # the oldest first
        self._looked = self._paused = float("-inf")
        self._state: Hashable = None  # of the index, before the newest was opened

    def current(self) -> str | None:
        """A snapshot of what searches see now, or saw seconds ago; None where OpenSearch gives none."""
        with self._lock:
            now = self._clock()
            if now < self._paused:
                return None
            self._open = {one: times for one, times in self._open.items() if now - times.used < _KEPT}
            newest = next(reversed(self._open), None)
            if newest is None or now - self._looked >= _SECONDS:
                self._looked = now
                newest = self._renewed(newest, now)
            if newest:
                self._open[newest].used = now
            return newest

    def has(self, snapshot: str | None) -> bool:
        """Whether `snapshot` is one that was opened here."""
        return snapshot in self._open

    def used(self, snapshot: str) -> None:
        """Note that a page was asked of it, which keeps it for as long again."""
        with self._lock:
            if times := self._open.get(snapshot):
                times.used = self._clock()

    def forget(self, snapshot: str, *, pause: bool) -> None:
        """Leave out a snapshot that cannot be read; with `pause`, open none for a while."""
        with self._lock:
            self._open.pop(snapshot, None)
            if pause:
                self._paused = self._clock() + _PAUSE

    def _renewed(self, newest: str | None, now: float) -> str | None:
        """A new snapshot where the index has changed since `newest`; that one again while it has not."""
        state = self._look(now)
        if newest:
            least = _SECONDS if len(self._open) < _FEW else _SELDOM
            if state == self._state or now - self._open[newest].opened < least:
                return newest
        try:
            made = self._client.create_pit(index=self._name, params=_PARAMS)["pit_id"]
        except errors.OpenSearchException:  # no right, too many open ones, or a cluster that has none
            self._paused = now + _PAUSE
            return None
        self._state, self._open[made] = state, _Times(now, now)
        while len(self._open) > _MOST:
            self._close(next(iter(self._open)))
        return str(made)

    def _look(self, now: float) -> Hashable:
        """The state of the index; without the right to ask for it, it is taken to change now and then."""
        try:
            answer = self._client.indices.stats(index=self._name, params={"filter_path": _STATE})
        except errors.OpenSearchException:
            return now // _SELDOM
        return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)

    def _close(self, snapshot: str) -> None:
        del self._open[snapshot]
        with suppress(errors.OpenSearchException):
            self._client.delete_pit(body={"pit_id": [snapshot]})


@dataclass
class _Times:
    """When a snapshot was opened, and last used."""

    opened: float
    used: float
