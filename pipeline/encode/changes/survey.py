"""A survey of a source before anything is encoded: how many items there are, and what is to be done about them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from lexel.pipeline.encode.changes.source_comparison import Change, Comparison, Kind
from lexel.pipeline.shards.ledger import Bools, Ledger
from lexel.pipeline.sources.source import Source

# So many changes are kept in memory; of more, or of pictures that are in memory with them, the source is listed again.
_MOST, _MOST_HELD = 20_000, 500
# Names that are given as examples of a change.
_EXAMPLES = 3
# Reading waits for the disk or the network more than it computes.
_READERS = 8


@dataclass(frozen=True)
class ChangeCounts:
    """How many items are new, changed, under another name (moved or copied), described otherwise, or gone.

    Of the `unreachable` ones the files cannot be looked at now; what is known of them is kept.
    """

    new: int = 0
    changed: int = 0
    moved: int = 0
    relisted: int = 0
    gone: int = 0
    retried: int = 0
    unreachable: int = 0

    def __add__(self, other: "ChangeCounts") -> "ChangeCounts":
        return ChangeCounts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def copied(self) -> int:
        """The number of items whose rows are copied."""
        return self.moved + self.relisted

    @property
    def any(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.new or self.changed or self.moved or self.relisted or self.gone or self.retried)


@dataclass(frozen=True)
class Survey:
    """The items of a part of a source compared with its ledger."""

    source: Source
    ledger: Ledger
    comparison: Comparison
    counts: ChangeCounts
    gone: Bools  # the entries of items that the source lists no more
    kept: list[Change] | None
    examples: Mapping[Kind, Sequence[str]] = field(default_factory=dict)
    lost: Sequence[str] = ()  # the first of those that are gone

    @property
    def todo(self) -> int:
        """The number of items to encode or to copy."""
        found = self.counts
        return found.new + found.changed + found.moved + found.relisted + found.retried

    def changes(self) -> Iterator[Change]:
        """What is to be done, in the order of the source."""
        if self.kept is not None:
            yield from self.kept
            return
        again = Comparison(self.ledger, retry=self.comparison.retry, verify=self.comparison.verify)
        with _readers() as pool:
            yield from again.changes(self.source.items(), pool)


def survey(source: Source, ledger: Ledger, *, retry: bool = False, verify: bool = False) -> Survey:
    """List the source and compare its items with the ledger of their part; only files that may have changed are read.

    `retry` tries all failed items again; `verify` reads every file.
    """
    comparison = Comparison(ledger, retry=retry, verify=verify)
    kinds, kept, sources = Counter[Kind](), list[Change](), set[int]()
    whole, examples = True, dict[Kind, list[str]]()
    with _readers() as pool:
        for change in comparison.changes(source.items(), pool):
            kinds[change.kind] += 1
            if change.kind is Kind.MOVED:
                sources.add(change.entry)
            whole = whole and len(kept) < (_MOST_HELD if change.item.held else _MOST)
            if whole:
                kept.append(change)
            else:
                kept.clear()
            if len(some := examples.setdefault(change.kind, [])) < _EXAMPLES:
                some.append(change.item.uri)
    gone = comparison.gone()
    lost = sorted(set(np.flatnonzero(gone & ledger.live).tolist()) - sources)
    names = [str(ledger.entries["uri"][row]) for row in lost[:_EXAMPLES]]
    found = {kind.value: kinds[kind] for kind in Kind}
    counts = ChangeCounts(**found, gone=len(lost), unreachable=comparison.unreachable)
    return Survey(source, ledger, comparison, counts, gone, kept if whole else None, examples, names)


def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_READERS)
