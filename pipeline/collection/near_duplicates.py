"""Near-duplicates: items whose hashes and waves (see `looks`) hardly differ, and all that such pairs link together.

Every pair of close hashes is found, without comparing all: 64 bits are cut into RADIUS + 2 blocks, and a pair that
differs by at most RADIUS bits is equal in two blocks at least; so only items equal in two blocks are compared, for each
two of them.

Source: Manku, Jain, Das Sarma, Detecting Near-Duplicates for Web Crawling, WWW 2007, section 3.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lexel.pipeline.shards.shard import Shard

# Of 447 photographs, made smaller, compressed anew, blurred or grey 100 % were near the original by these two bounds,
# brightened or cropped by 1 % on each side 99.6 %, cropped by 2 % 89 %; of 24 million pairs of photographs one, a true
# copy. Of 7,700 pictures cut out or taken in studios, the largest group was 14 motorbikes; by the hash alone, 114.
RADIUS = 6
ALIKE = 0.98
_BLOCKS = RADIUS + 2
# Pairs that are looked at together: with their waves 200 MB.
_PAIRS = 250_000
# Hashes that are sorted together, but in no more parts than 2 to the power of _BITS: each is one more look at all.
_AT_ONCE, _BITS = 250_000, 6

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Waves = npt.NDArray[np.int8]


@dataclass(frozen=True)
class DuplicateGroups:
    """The groups of a collection: the first row of each row's group [N], and the names of groups of several."""

    first: Rows
    names: dict[int, str]

    def of(self, row: int, ids: Sequence[str]) -> list[str]:
        """What the rows from `row` on, with these ids, share with their near-duplicates: the smallest id of all."""
        return [
            self.names.get(first, id_)
            for first, id_ in zip(self.first[row : row + len(ids)].tolist(), ids, strict=True)
        ]


def find_near_duplicates(there: Sequence[Shard]) -> DuplicateGroups:
    """The groups of all items in these shards. It takes about 110 bytes of memory an item while it counts, then 8."""
    rows, values = _hashed(there)
    # What is alone by its hash is alone; the waves are read of the others only, which are few in most collections.
    some = np.flatnonzero(_several(groups(values)))
    rows, values = rows[some], values[some]
    first = np.arange(sum(shard.rows() for shard in there))
    first[rows] = rows[groups(values, _waves(there, rows))]
    return DuplicateGroups(first, _names(there, first))


def _hashed(there: Sequence[Shard]) -> tuple[Rows, Hashes]:
    """The rows that have a hash, and their hashes; texts have none, and are near to nothing."""
    rows, values, row = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], 0
    for batch in _batches(there, "phash", pa.int64()):
        rows.append(row + np.flatnonzero(batch.is_valid().to_numpy(zero_copy_only=False)))
        values.append(batch.drop_null().to_numpy().view(np.uint64))
        row += len(batch)
    return np.concatenate(rows), np.concatenate(values)


def groups(hashes: Hashes, waves: Waves | None = None) -> Rows:
    """The first row of each row's group, for hashes [N]: equal for rows that near-duplicates link.

    With waves [N, 64], near-duplicates are alike in these too.
    """
    # Equal rows are one: a thousand copies of a file need not be compared with each other.
    kinds, axis = (hashes, None) if waves is None else (np.column_stack([hashes, waves.view(np.uint64)]), 0)
    _, first, place = np.unique(kinds, axis=axis, return_index=True, return_inverse=True)
    root = np.arange(len(first))
    for pairs in _close(hashes[first]):
        root = _joined(root, pairs if waves is None else pairs[_alike(waves[first], pairs)])
    least = np.full(len(first), len(hashes))
    np.minimum.at(least, root, first)
    return least[root][place.ravel()].astype(np.int64)


def _alike(waves: Waves, pairs: Rows) -> npt.NDArray[np.bool_]:
    one, other = (waves[pairs[:, side]].astype(np.float32) for side in (0, 1))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    # Pictures of one colour have no waves, and are alike.
    return np.asarray((one * other).sum(axis=1) >= ALIKE * lengths)


def _several(first: Rows) -> npt.NDArray[np.bool_]:
    """Which rows are in a group of several."""
    return np.bincount(first, minlength=len(first))[first] > 1


def _names(there: Sequence[Shard], first: Rows) -> dict[int, str]:
    """The smallest id of each group of several, by the group's first row."""
    several, names, row = _several(first), dict[int, str](), 0
    for batch in _batches(there, "id", pa.string()):
        for i in np.flatnonzero(several[row : row + len(batch)]):
            group, id_ = int(first[row + i]), batch[int(i)].as_py()
            names[group] = min(names.get(group, id_), id_)
        row += len(batch)
    return names


def _waves(there: Sequence[Shard], rows: Rows) -> Waves:
    """The waves of these rows (rising) [N, 64]."""
    parts, row = [np.zeros((0, 64), np.int8)], 0
    for batch in _batches(there, "waves", pa.binary(64)):
        mine = rows[np.searchsorted(rows, row) : np.searchsorted(rows, row + len(batch))] - row
        content = b"".join(batch.take(pa.array(mine)).fill_null(bytes(64)).to_pylist())
        parts.append(np.frombuffer(content, np.int8).reshape(-1, 64))
        row += len(batch)
    return np.concatenate(parts)


def _batches(there: Sequence[Shard], name: str, kind: pa.DataType) -> Iterator[pa.Array]:
    """A column, run by run; empty values where a shard is from before there was such a column."""
    for shard in there:
        for batch in shard.batches(columns=["id", name], size=8192):
            yield batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, kind)


def _close(values: Hashes) -> Iterator[Rows]:
    """Pairs [P, 2] of values that differ by at most RADIUS bits."""
    held: list[Rows] = []
    for mask in _masks():
        for rows in _parts(mask, values):
            for pairs in _equal_under(mask, values[rows]):
                held.append(rows[pairs])
                if sum(map(len, held)) > _PAIRS:
                    yield np.concatenate(held)
                    held = []
    if held:
        yield np.concatenate(held)


def _masks() -> Iterable[int]:
    # A block's bits are spread: neighbouring waves are of a kind, and a block of one kind would tell less apart.
    blocks = [sum(1 << bit for bit in range(start, 64, _BLOCKS)) for start in range(_BLOCKS)]
    return (one | other for one, other in combinations(blocks, 2))


def _parts(mask: int, values: Hashes) -> Iterator[Rows]:
    """The rows of values that may be equal under the mask, part by part: sorting all at once takes more memory."""
    bits = min(_BITS, (len(values) // _AT_ONCE).bit_length())
    shared = sum(1 << bit for bit in [bit for bit in range(64) if mask >> bit & 1][:bits])
    part = 0
    while True:
        yield np.flatnonzero(values & np.uint64(shared) == np.uint64(part))
        # The next number among those bits.
        part = (part - shared) & shared
        if not part:
            return


def _equal_under(mask: int, values: Hashes) -> Iterator[Rows]:
    """Pairs of values, equal where the mask has bits, that are close: each compared with its k-th next, for all k."""
    order = np.argsort(values & np.uint64(mask), kind="stable")
    values = values[order]
    keys = values & np.uint64(mask)
    # Most have no next one: only those that do are held as numbers.
    at, step = np.flatnonzero(keys[1:] == keys[:-1]), 1
    while len(at):
        close = at[np.bitwise_count(values[at] ^ values[at + step]) <= RADIUS]
        if len(close):
            yield np.stack([order[close], order[close + step]], axis=1)
        step += 1
        at = at[at < len(values) - step]
        at = at[keys[at] == keys[at + step]]


def _joined(root: Rows, pairs: Rows) -> Rows:
    """The groups after joining those of each pair; a group is named by its smallest member."""
    while True:
        roots = root[pairs]
        low, high = roots.min(axis=1), roots.max(axis=1)
        apart = low != high
        if not apart.any():
            return root
        root = root.copy()
        np.minimum.at(root, high[apart], low[apart])
        while not np.array_equal(root, root[root]):
            root = root[root]
