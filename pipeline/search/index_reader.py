"""Sends the requests of one search so that all of them, and those of the next pages, see one state of the index."""

from collections.abc import Sequence
from typing import Any

from opensearchpy import exceptions as errors

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import Dsl
from lexel.pipeline.search.results import Cursor
from lexel.pipeline.search.snapshots import KEEP_ALIVE, PREFERENCE

# How OpenSearch says that a snapshot is no longer there.
_GONE = "search_context_missing_exception"
_TRIES = 2


class IndexReader:
    """Reads `index` at a snapshot where the results are `paged`: that of the cursor `after`, or the shared one.

    Without a snapshot it reads the present state: of results that are not paged, or where OpenSearch gives none, or has
    closed that of an earlier page, which it does after ten minutes without another page.
    """

    def __init__(self, index: SearchIndex, *, paged: bool, after: Cursor | None = None) -> None:
        self._index, self._after = index, after
        self._snapshot = after.snapshot if after else index.snapshots.current() if paged else None

    def search(self, body: Dsl) -> dict[str, Any]:
        """The response to `body`. Raises ClusterError if OpenSearch fails, or if the index of `after` is gone."""
        params = {"allow_partial_search_results": "false"}  # a part of it may be lost, with a node
        with readable_errors():
            for _ in range(_TRIES):
                if self._snapshot is None:
                    break
                at = {"pit": {"id": self._snapshot, "keep_alive": KEEP_ALIVE}}
                try:
                    answer = self._index.client.search(body=body | at, params=params)
                except errors.TransportError as error:
                    refused = isinstance(error, errors.AuthorizationException)
                    if not refused and _GONE not in str(error.info):
                        raise
                    self._leave(self._snapshot, refused=refused)
                else:
                    self._index.snapshots.used(self._snapshot)
                    return dict(answer)
            self._snapshot = None
            where = self._after.index if self._after else self._index.name
            return dict(self._index.client.search(index=where, body=body, params={"preference": PREFERENCE}))

    def _leave(self, snapshot: str, *, refused: bool) -> None:
        """Go on without `snapshot`: a first page with a new one, unless this user may not read any."""
        self._index.snapshots.forget(snapshot, pause=refused)
        self._snapshot = None if self._after else self._index.snapshots.current()

    def stored(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The documents with these ids, in no order; of several indices, each may have one."""
        most = len(ids) * (self._index.place.count(",") + 1)
        return list(self.search(query_dsl.stored(ids, k=most))["hits"]["hits"])

    def cursor(self, offset: int, least: float | None = None) -> Cursor:
        """The place `offset` in the results, without those that score less than `least`."""
        return Cursor(self._after.index if self._after else self._index.place, offset, least, self._snapshot)
