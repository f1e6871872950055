"""Loads shards from the machines of a Ray cluster at once: one part per loader."""

from dataclasses import replace
from pathlib import Path

from lexel.pipeline.cluster.client import Address, address, connect
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.load_report import LoadReport
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.ray_parts import PartPlan, ray_cluster, reports_of_parts
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.part import Part

# A loader keeps one core busy and, with two connections, a second one at times.
_CORES = 2


def load_on_ray(
    folder: Path,
    *,
    index: str,
    where: Address | None = None,
    options: LoadOptions = LoadOptions(),
    cores: int = _CORES,
    progress: Progress = QUIET,
) -> LoadReport:
    """As `load_shards`, on the Ray cluster of RAY_ADDRESS, or on a new one on this machine, with `cores` for each part.

    `folder` has to be on storage that all machines share, and `where`, by default `address()`, to be reached by all.
    Raises ConfigError if Ray is not installed or lost a part too often, and the errors of `load_shards`.
    """
    # What is missing raises here, before machines start.
    shards, place, there = ShardFolder.open(folder), folder.resolve(), where or address()
    with ray_cluster() as ray:
        cut = PartPlan.over(ray.nodes(), device="cpu", workers=cores)
        cut = replace(cut, parts=min(cut.parts, len(shards.shards)))

        def part(index_: int) -> LoadReport:
            mine = Part(index_, cut.parts)
            return load_shards(place, index=index, client=connect(there), part=mine, options=options)

        progress.plan(total=shards.rows, done=0)
        reports = []
        for report in reports_of_parts(ray, part, cut):
            progress.advance(encoded=report.sent, failed=report.rejected)
            reports.append(report)
    sent = sum(report.sent for report in reports)
    whole = [report for report in reports if not report.missing]
    # Where storage shows files late, none may have seen what another one left out.
    last = whole[0] if whole else load_shards(folder, index=index, client=connect(there), options=options)
    return replace(last, sent=sent + (0 if whole else last.sent))
