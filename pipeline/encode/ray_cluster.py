"""Runs an encoding job on a Ray cluster: one part per GPU or machine, restarted elsewhere if it is lost."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lexel.encoders import EncoderError, open_encoder
from lexel.encoders.runtime.hf_checkpoints import first_line
from lexel.pipeline.collection.tsne_map import write_map
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.part import Part
from lexel.pipeline.encode.run import EncodeReport, check_some, encode_source
from lexel.pipeline.errors import ConfigError, LexelError
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import write_failures
from lexel.pipeline.sources.remote.remote_path import is_address
from lexel.pipeline.sources.selection import EVERYTHING, Selection
from lexel.pipeline.sources.source import open_source

# How often a part is restarted after its machine was lost.
_TIMES = 5


@dataclass(frozen=True)
class PartPlan:
    """The number of parts of a job, and the cores and GPUs that each needs."""

    parts: int
    cpus: int
    gpus: int

    @classmethod
    def over(cls, nodes: Sequence[Mapping[str, Any]], *, device: str, workers: int | None) -> "PartPlan":
        """One part per GPU if there are any and `device` is not "cpu"; else one per machine.

        With `workers`, as many parts as fit, with that many cores each. `nodes` is the result of `ray.nodes()`. Raises
        ConfigError if no machine has a core.
        """
        alive = [node["Resources"] for node in nodes if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        if not alive:
            raise ConfigError("The Ray cluster has no machine with a CPU core; check `ray status`.")
        gpus = 0 if device == "cpu" else sum(int(own.get("GPU", 0)) for own in alive)
        if gpus:
            return cls(gpus, workers or 1, 1)
        cpus = workers or int(min(own["CPU"] for own in alive))
        return cls(max(1, sum(int(own["CPU"]) // cpus for own in alive)), cpus, 0)


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
    shards are identical to those of one process. Raises ConfigError if Ray is not installed or lost a part too often,
    and the errors of `encode_source`.
    """
    ray, folder = _ray(), out.resolve()
    place = str(source) if is_address(str(source)) else Path(source).expanduser().resolve()
    # A missing source or encoder raises here, before machines start.
    items, _ = open_source(source, captions=captions, selection=selection).items(), open_encoder(encoder)
    with _cluster(ray):
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
        reports = list(_reports(ray, part, cut, progress))
    write_failures(out)  # each part wrote the list while others were still running
    total = EncodeReport(
        items=sum(report.items for report in reports),
        encoded=sum(report.encoded for report in reports),
        failed=sum(report.failed for report in reports),
        new=sum(report.new for report in reports),
        notes=reports[0].notes,
    )
    check_some(total, out)
    if options.write_map:
        write_map(out)
    return total


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics are sent
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first error is raised; Ray would print the others
    try:
        import ray
    except ImportError as error:
        raise ConfigError("Ray is not installed; run `pip install 'lexel[ray]'`.") from error
    return ray


@contextmanager
def _cluster(ray: Any) -> Iterator[None]:
    if ray.is_initialized():  # whoever started it also ends it
        yield
        return
    try:
        ray.init(log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # of a dozen kinds, several of them built-in ones
        raise ConfigError(f"No Ray cluster answers or can be started: {first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _reports(
    ray: Any, part: Callable[[int], EncodeReport], cut: PartPlan, progress: Progress
) -> Iterator[EncodeReport]:
    """The report of each part, as they end."""
    begin = ray.remote(num_cpus=cut.cpus, num_gpus=cut.gpus, max_retries=_TIMES)(part)
    running = [begin.remote(index) for index in range(cut.parts)]
    try:
        while running:
            done, running = ray.wait(running)
            report = _got(ray, done[0])
            progress.advance(encoded=report.encoded, failed=report.failed)
            yield report
    finally:
        for other in running:
            ray.cancel(other, force=True)


def _got(ray: Any, reference: Any) -> EncodeReport:
    try:
        report: EncodeReport = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LexelError | EncoderError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise ConfigError(
            f"Ray lost a part of the job more than {_TIMES} times ({first_line(error)}); "
            "run the same command to resume."
        ) from error
    return report
