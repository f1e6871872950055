"""A health report on terms: figures computed from the counts, and warnings about those that are off.

Terms are given by their index in the vocabulary; shares are between 0 and 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.pipeline.stats.counts import Floats, Ints, TermStats
from lexel.pipeline.stats.over_said import FIRST, OverSaid, expected_shares, over_said
from lexel.pipeline.stats.query_frequencies import QueryFrequencies

# A term on more than half of the items hardly discriminates, and its long postings list makes queries slow: Porco et
# al., "An Alternative to FLOPS Regularization to Effectively Productionize SPLADE-Doc" (SIGIR 2025).
TOO_COMMON = 0.5
# A term in fewer queries than this share is hardly worth its space in the index.
RARELY = 0.001
# The share of query words on no item that is normal for a vocabulary's tail.
DEAD_ASKED = 0.02
# An image's description has five to ten content words; with fewer terms, relevant items are missed.
FEW = 5
# Of fewer images the share that a word is said of is known too badly.
MANY = 100
# Bits per posting for the weight: 18 in `rank_features` and 10.5 as a term frequency, with the lists' overhead.
_WEIGHT_BITS = 28.5


@dataclass(frozen=True)
class StatsReport:
    """The counts of a shard folder, and how often queries contain each term."""

    counts: TermStats
    asked: QueryFrequencies

    @property
    def postings(self) -> int:
        """The number of (item, term) pairs."""
        return int(self.counts.holds.sum())

    @property
    def flops(self) -> float:
        """Expected multiplications of one query with one item: the sum over terms of P(in query) x P(in item).

        The FLOPS metric of Formal et al., "SPLADE" (SIGIR 2021), after Paria et al., "Minimizing FLOPs to Learn
        Efficient Sparse Representations" (ICLR 2020). Times the number of items it is the number of postings that a
        query reads if the engine skips none.
        """
        return float(self.asked.share @ self.counts.share)

    @cached_property
    def by_share(self) -> Ints:
        """All terms, by descending number of items."""
        return self._by(self.counts.share, self.counts.holds >= 0)

    @cached_property
    def dead(self) -> Ints:
        """The terms on no item, by descending query frequency."""
        return self._by(self.asked.share, self.counts.holds == 0)

    @cached_property
    def dead_asked(self) -> float:
        """The share of query words that are on no item."""
        total = float(self.asked.share.sum())
        return float(self.asked.share[self.dead].sum()) / total if total else 0.0

    @cached_property
    def too_common(self) -> Ints:
        """The terms on more than half of the items, the commonest first; none if there are fewer than ten items."""
        return self._by(self.counts.share, (self.counts.share > TOO_COMMON) & (self.counts.items >= 10))

    @cached_property
    def over_said(self) -> list[OverSaid]:
        """The terms that are among the first of far more images than captions would say; none of fewer than 100."""
        if self.counts.job.captions or self.counts.items < MANY:
            return []
        vocabulary = self.counts.vocabulary
        said = self.counts.said / max(1, self.counts.items)
        return over_said(vocabulary.terms, said, expected_shares(vocabulary))

    @cached_property
    def idle(self) -> Ints:
        """The terms on some item that are in fewer than one of a thousand queries, the most postings first."""
        return self._by(self.counts.share, (self.asked.share < RARELY) & (self.counts.holds > 0))

    @property
    def idle_postings(self) -> float:
        """The share of all postings that belong to `idle` terms."""
        return float(self.counts.holds[self.idle].sum()) / max(1, self.postings)

    @cached_property
    def correlation(self) -> float | None:
        """Spearman's rank correlation, over terms, of item and query frequency; None if either is constant.

        Near 1, items have the terms that people search for; near 0 or below, postings are spent on other words.
        """
        items, queries = _ranks(self.counts.holds), _ranks(self.asked.share)
        spread = float(items.std() * queries.std()) if len(items) else 0.0
        return float(((items - items.mean()) * (queries - queries.mean())).mean()) / spread if spread else None

    def names(self, rows: Ints) -> list[str]:
        """The terms with these indices."""
        return [self.counts.vocabulary.terms[row] for row in rows.tolist()]

    def active(self, percentile: float) -> int:
        """The `percentile` (0 to 100) of the number of terms per item."""
        reached = np.cumsum(self.counts.active) >= max(1.0, percentile / 100 * self.counts.items)
        return int(np.argmax(reached))

    @property
    def mean_active(self) -> float:
        """The mean number of terms per item."""
        return float(np.arange(len(self.counts.active)) @ self.counts.active) / max(1, self.counts.items)

    def _by(self, value: Floats, which: npt.NDArray[np.bool_]) -> Ints:
        rows = np.flatnonzero(which)
        return rows[np.argsort(-value[rows], kind="stable")]


def warnings(report: StatsReport) -> Iterator[str]:
    """One sentence for each figure that is off, with advice."""
    counts, noun = report.counts, "text" if report.counts.job.captions else "image"
    if counts.failed:
        yield f"{_many(counts.failed, noun)} could not be encoded: see failures.parquet; --retry tries them again."
    if none := int(counts.active[0]):
        yield (
            f"{_many(none, noun)} {'has' if none == 1 else 'have'} no term, such as {counts.without[0]}: only modes "
            "vector and hybrid find them; train the head with weaker sparsity, or a vocabulary that has their words."
        )
    if counts.unknown or counts.unusable:
        wrong = counts.unknown + counts.unusable
        yield f"{wrong:,} postings are of unknown terms or weigh nothing: the shards are damaged, encode them again."
    if len(report.too_common):
        first = int(report.too_common[0])
        also = f", and {len(report.too_common) - 1:,} more are on over {TOO_COMMON:.0%}" * (len(report.too_common) > 1)
        yield (
            f"The term {counts.vocabulary.terms[first]!r} is on {counts.share[first]:.0%} of the {noun}s{also}: such "
            "terms tell hardly any two apart and make queries slow; train with stronger sparsity, or keep fewer terms."
        )
    if over := report.over_said:
        yield (
            f"{_many(len(over), 'word')} {'is' if len(over) == 1 else 'are'} among the first {FIRST} of many more "
            f"{noun}s than captions would say, such as {over[0].term!r} ({over[0].said:.0%}, captions "
            f"{over[0].expected:.1%}): train on captions of images like these, or ban them."
        )
    if report.dead_asked > DEAD_ASKED:
        yield (
            f"{report.dead_asked:.1%} of what queries ask for is on no {noun} ({_some(report.names(report.dead))}): "
            "such words find nothing; keep more terms, map them by aliases, or train on captions that use them."
        )
    if counts.items and report.active(50) < FEW and not counts.job.captions:
        yield f"Half of the {noun}s have fewer than {FEW} terms: keep more, or train the head with weaker sparsity."
    if report.asked.unknown > DEAD_ASKED:
        yield (
            f"{report.asked.unknown:.1%} of the queries have no known word: only their vector finds something; "
            "make the vocabulary from captions that are like them."
        )
    if report.correlation is not None and report.correlation < 0 and counts.items >= 10:
        yield (
            "The terms that many items have are those that few queries want: prune by expected contribution, or make "
            "the vocabulary from the words of real queries."
        )


def as_json(report: StatsReport) -> dict[str, Any]:
    """The report as JSON; `terms` has all that are on an item or in a query."""
    counts, asked = report.counts, report.asked
    return {
        "encoder": counts.job.name,
        "fingerprint": counts.job.fingerprint,
        "items": counts.items,
        "kind": "texts" if counts.job.captions else "images",
        "failed": counts.failed,
        "active": {"mean": report.mean_active, **{f"p{p}": report.active(p) for p in (0, 5, 25, 50, 75, 95, 100)}},
        "without": {"count": int(counts.active[0]), "examples": list(counts.without)},
        "document_frequency": _quantiles(counts.share),
        "too_common": {"limit": TOO_COMMON, "terms": report.names(report.too_common)},
        "over_said": {one.term: {"said": one.said, "expected": one.expected} for one in report.over_said},
        "dead": {"count": len(report.dead), "asked": report.dead_asked, "terms": report.names(report.dead)},
        "rarely_asked": {"limit": RARELY, "postings": report.idle_postings, "terms": report.names(report.idle)},
        "queries": {"by": asked.by, "count": asked.queries, "unknown": asked.unknown},
        "correlation": report.correlation,
        "cost": {"flops": report.flops, "postings_per_query": report.flops * counts.items},
        "certainty": {"most": dict(counts.most), "least": dict(counts.least)},
        "bytes": {
            "postings": index_bytes(counts),
            "vectors": 4 * counts.job.dim * counts.items,
            "parquet": dict(counts.parquet),
        },
        "warnings": list(warnings(report)),
        "terms": {
            term: {"share": share, "asked": by, "weight": weight}
            for term, share, by, weight in zip(
                counts.vocabulary.terms,
                counts.share.tolist(),
                asked.share.tolist(),
                (counts.weight / np.maximum(counts.holds, 1)).tolist(),
                strict=True,
            )
            if share or by
        },
    }


def index_bytes(counts: TermStats) -> int:
    """The estimated bytes of the fields `terms` and `words` in an index of one segment, without stored documents.

    A posting takes the entropy of its position in the list, and 28.5 bits for its weight in both fields. Within 10 % of
    OpenSearch 3.5 with 4,000 to 16,000 items of 32 to 128 terms.
    """
    held = counts.holds[counts.holds > 0] / max(1, counts.items)
    rest = np.maximum(1 - held, np.finfo(float).tiny)
    place = -np.log2(held) - (rest / held) * np.log2(rest)
    return round(float((held * (2 * place + _WEIGHT_BITS)).sum()) * counts.items / 8)


def _quantiles(share: Floats) -> dict[str, float]:
    if not len(share):
        return {}
    return {"mean": float(share.mean()), **{f"p{p}": float(np.percentile(share, p)) for p in (50, 75, 90, 95, 99, 100)}}


def _ranks(values: npt.NDArray[Any]) -> Floats:
    """Each value's rank from 0; ties get the mean of their ranks."""
    _, place, number = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(number)
    return np.asarray((last - (number + 1) / 2)[place], np.float64)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
