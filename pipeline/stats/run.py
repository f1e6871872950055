"""The health report of a shard folder, in one call."""

from pathlib import Path

from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.stats.counts import count_terms
from lexel.pipeline.stats.health_report import StatsReport
from lexel.pipeline.stats.query_frequencies import query_frequencies


def report_stats(folder: Path, *, queries: str | None = None, progress: Progress = QUIET) -> StatsReport:
    """The counts of the shards in `folder` and the frequencies of terms in `queries` (see `query_frequencies`).

    Raises ShardError if there are no shards, SourceError if `queries` has no text.
    """
    counts = count_terms(folder, progress=progress)
    return StatsReport(counts, query_frequencies(counts.vocabulary, queries))
