"""Runs an encoding job on a Ray cluster: one part per GPU or machine, restarted elsewhere if it is lost."""

from dataclasses import replace
from pathlib import Path

from lexel.encoders import open_encoder
from lexel.pipeline.collection.tsne_map import write_map
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import EncodeReport, check_some, encode_source
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.ray_parts import PartPlan, ray_cluster, reports_of_parts
from lexel.pipeline.shards.folder import ShardFolder, write_failures
from lexel.pipeline.shards.part import Part
from lexel.pipeline.sources.remote.remote_path import is_address
from lexel.pipeline.sources.selection import EVERYTHING, Selection
from lexel.pipeline.sources.source import open_source


def encode_on_ray(
    source: str | Path,
    out: Path,
    *,
    encoder: str,
    captions: bool = False,
    selection: Selection = EVERYTHING,
    options: EncodeOptions = EncodeOptions(),
    progress: Progress = QUIET,
) -> EncodeReport:
    """As `encode_source`, on the Ray cluster of RAY_ADDRESS, or on a new one on this machine.

    Every machine opens `source`, `out` and `encoder`, so they have to be on shared storage, or names of encoders. The
    items are those of one process. Raises ConfigError if Ray is not installed or lost a part too often,
    and the errors of `encode_source`.
    """
    place, folder = str(source) if is_address(str(source)) else Path(source).expanduser().resolve(), out.resolve()
    # A missing source or encoder raises here, before machines start.
    items, _ = open_source(source, captions=captions, selection=selection).items(), open_encoder(encoder)
    with ray_cluster() as ray:
        cut = PartPlan.over(ray.nodes(), device=options.device, workers=options.workers)
        own = replace(options, workers=cut.cpus)

        def part(index: int) -> EncodeReport:
            return encode_source(
                open_source(place, captions=captions, selection=selection),
                folder,
                encoder=open_encoder(encoder),
                part=Part(index, cut.parts),
                options=own,
            )

        progress.plan(total=sum(1 for _ in items), done=0)
        reports = []
        for report in reports_of_parts(ray, part, cut):
            progress.advance(encoded=report.encoded, failed=report.failed)
            reports.append(report)
    write_failures(out)  # each part wrote the list while others were still running
    total = EncodeReport(
        items=sum(report.items for report in reports),
        encoded=sum(report.encoded for report in reports),
        failed=sum(report.failed for report in reports),
        new=sum(report.new for report in reports),
        notes=reports[0].notes,
        changes=sum((report.changes for report in reports), ChangeCounts()),
    )
    check_some(total, ShardFolder.open(out).ledger.failures if total.failed else [])
    if options.write_map:
        write_map(out)
    return total
