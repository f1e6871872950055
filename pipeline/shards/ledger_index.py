"""Finds the entries of a ledger by their key, or by the hash of their bytes: 24 bytes of memory for each."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lexel.pipeline.shards.ledger import Bools, EntryStatus, Ints, Ledger


class DigestIndex:
    """Digests of 16 bytes in order; of equal ones the first is found."""

    def __init__(self, digests: pa.ChunkedArray, rows: Ints) -> None:
        self._first, self._second = _halves(digests.take(pa.array(rows)))
        order = np.argsort(self._first, kind="stable")
        self._first, self._second, self._rows = self._first[order], self._second[order], rows[order]

    def find(self, digests: Sequence[bytes]) -> Ints:
        """The row of each digest [N], -1 where there is none."""
        if not len(self._rows):
            return np.full(len(digests), -1)
        wanted = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
        place = np.minimum(np.searchsorted(self._first, wanted[:, 0]), len(self._first) - 1)
        same = (self._first[place] == wanted[:, 0]) & (self._second[place] == wanted[:, 1])
        return np.where(same, self._rows[place], -1)


def by_key(ledger: Ledger) -> DigestIndex:
    """The entries that say what an item is now: live or failed."""
    return DigestIndex(ledger.entries["key"], np.flatnonzero(ledger.status != EntryStatus.DEAD))


def by_content(ledger: Ledger) -> DigestIndex:
    """The entries that have a row, live ones first."""
    known: Bools = ledger.entries["content"].is_valid().to_numpy() & (ledger.status != EntryStatus.FAILED)
    rows = np.flatnonzero(known)
    return DigestIndex(ledger.entries["content"], rows[np.argsort(ledger.status[rows], kind="stable")])


def _halves(digests: pa.ChunkedArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    together = digests.combine_chunks()
    both = np.frombuffer(together.buffers()[1] or b"", "<u8").reshape(-1, 2)
    both = both[together.offset : together.offset + len(together)]
    return both[:, 0].copy(), both[:, 1].copy()
