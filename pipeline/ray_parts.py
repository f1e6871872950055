"""Runs the parts of a job on a Ray cluster; one that is lost with its machine is begun again elsewhere."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from lexel.encoders import EncoderError
from lexel.encoders.runtime.hf_checkpoints import first_line
from lexel.pipeline.errors import ConfigError, LexelError

# How often a part is restarted after its machine was lost.
_TIMES = 5

Report = TypeVar("Report")


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
        ConfigError if no machine has a core, or none as many as `workers`.
        """
        alive = [node["Resources"] for node in nodes if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        if not alive:
            raise ConfigError("The Ray cluster has no machine with a CPU core; check `ray status`.")
        gpus = 0 if device == "cpu" else sum(int(own.get("GPU", 0)) for own in alive)
        if gpus:
            return cls(gpus, workers or 1, 1)
        cpus = workers or int(min(own["CPU"] for own in alive))
        parts = sum(int(own["CPU"]) // cpus for own in alive)
        if not parts:
            raise ConfigError(f"No machine of the Ray cluster has {cpus} CPU cores; ask for fewer.")
        return cls(parts, cpus, 0)


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """The module `ray`, joined to the cluster of RAY_ADDRESS, or to a new one on this machine, until the block ends.

    Raises ConfigError if Ray is not installed or no cluster is to be had.
    """
    ray = _ray()
    if ray.is_initialized():  # whoever started it also ends it
        yield ray
        return
    try:
        ray.init(log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # of a dozen kinds, several of them built-in ones
        raise ConfigError(f"No Ray cluster answers or can be started: {first_line(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics are sent
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first error is raised; Ray would print the others
    try:
        import ray
    except ImportError as error:
        raise ConfigError("Ray is not installed; run `pip install 'lexel[ray]'`.") from error
    return ray


def reports_of_parts(ray: Any, part: Callable[[int], Report], cut: PartPlan) -> Iterator[Report]:
    """What `part` returns for each index below `cut.parts`, as they end.

    Raises ConfigError if a part was lost too often, and the errors of `part`.
    """
    begin = ray.remote(num_cpus=cut.cpus, num_gpus=cut.gpus, max_retries=_TIMES)(part)
    running = [begin.remote(index) for index in range(cut.parts)]
    try:
        while running:
            done, running = ray.wait(running)
            yield _got(ray, done[0])
    finally:
        for other in running:
            ray.cancel(other, force=True)


def _got(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LexelError | EncoderError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise ConfigError(
            f"Ray lost a part of the job more than {_TIMES} times ({first_line(error)}); "
            "run the same command to resume."
        ) from error
