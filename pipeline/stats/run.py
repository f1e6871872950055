"""The health report of a folder of shards, in one call."""

from pathlib import Path

from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.stats.counts import count_terms
from lexel.pipeline.stats.health_report import StatsReport
from lexel.pipeline.stats.query_frequencies import query_frequencies


def report_stats(folder: Path, *, queries: str | None = None, progress: Progress = QUIET) -> StatsReport:
    """Count the terms of the shards in `folder`, beside what queries ask for (see `query_frequencies`).

    Raises ShardError where there are no shards that fit together, SourceError where `queries` holds no text.
    """
    counts = count_terms(folder, progress=progress)
    return StatsReport(counts, query_frequencies(counts.vocabulary, queries))
