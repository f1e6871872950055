"""Effectiveness and index size by term budget: the images are pruned to each number of terms and indexed again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from opensearchpy import OpenSearch

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet, shortened
from lexel.pipeline.evaluate.queries.directions import Direction
from lexel.pipeline.evaluate.report import Step, measure
from lexel.pipeline.evaluate.retrieve import retrieve
from lexel.pipeline.evaluate.temporary_index import indexed, size, view_size
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.search.query_dsl import Mode

_MODES: tuple[Mode, ...] = ("terms", "hybrid")


def curve(
    collection: EvaluationSet,
    direction: Direction,
    *,
    client: OpenSearch,
    budgets: Sequence[int],
    weight: float,
    depth: int,
    watch: Watch = unwatched,
) -> list[Step]:
    """A step for each budget, text to image, in modes "terms" and "hybrid". Nothing is encoded again."""
    steps = []
    for keep in budgets:
        with TemporaryDirectory(prefix="lexel-") as folder:
            fewer = shortened(collection, Path(folder), keep=keep)
            steps.append(_step(fewer, direction, client, keep, weight, depth, watch))
    return steps


def _step(
    fewer: EvaluationSet, direction: Direction, client: OpenSearch, keep: int, weight: float, depth: int, watch: Watch
) -> Step:
    with indexed(client, fewer.folder, watch=watch) as index:
        means: dict[str, Mapping[str, float]] = {}
        for mode in _MODES:
            with watch(f"{keep} terms, {mode}") as progress:
                run = retrieve(client, index, direction, mode, weight=weight, depth=depth, progress=progress)
            means[mode] = measure(run, direction).means
        count = len(fewer.pictures)
        view = view_size(client, fewer.folder, "terms") / count
        sizes = {"whole": size(client, index) / count, "terms": view}
    return Step(keep, fewer.pictures.mean_terms, means, sizes)


def budgets(text: str) -> list[int]:
    """Parse "8,16,32". Raises ConfigError if it is not a list of positive integers."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ConfigError(f"--curve {text} is invalid: write numbers of terms, for example 8,16,32,64,128.")
    return [int(part) for part in parts]
