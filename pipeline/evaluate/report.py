"""The report of an evaluation, and its JSON."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate import significance
from lexel.pipeline.evaluate.metrics import CAPTIONED, LABELLED, MEDIAN, SHORT, measure_queries
from lexel.pipeline.evaluate.queries.directions import Direction
from lexel.pipeline.evaluate.retrieve import Run
from lexel.pipeline.evaluate.word_truth import WordTruth

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

# The measures stored per query, so that two evaluations can be compared.
_COMPARED = {"R@1", "R@10", "nDCG@10", "P@1", "P@10", "mAP@10"}


@dataclass(frozen=True)
class Measured:
    """One mode in one direction: means in per cent and the median rank, their 95 % intervals, and values per query
    (0 to 1). A median rank beyond the retrieved depth is infinite.
    """

    means: Mapping[str, float]
    intervals: Mapping[str, Interval]
    queries: Mapping[str, Floats]


@dataclass(frozen=True)
class DirectionResult:
    """One direction: results by mode, the ids and groups of its queries, and mean numbers of terms."""

    modes: Mapping[str, Measured]
    queries: Sequence[str]
    groups: Sequence[int]
    query_terms: float
    item_terms: float


@dataclass(frozen=True)
class Step:
    """One point of the curve: at most `keep` terms per image, their mean number, effectiveness and index size."""

    keep: int
    terms: float
    means: Mapping[str, Mapping[str, float]]  # mode -> measure -> value, text to image
    bytes: Mapping[str, float]  # per image


@dataclass(frozen=True)
class EvaluationReport:
    """`about` says what was evaluated; `cost` is the number of bytes per image, of the whole index and by field.

    `truth` says whether people would say the words, None if there are no captions.
    """

    about: Mapping[str, Any]
    cost: Mapping[str, float]
    directions: Mapping[str, DirectionResult]
    curve: Sequence[Step] = ()
    truth: WordTruth | None = None


def measure(run: Run, direction: Direction) -> Measured:
    """The measures of a run, with 95 % intervals over the queries of its direction."""
    names = SHORT if direction.name == "short_to_image" else LABELLED if direction.alone else CAPTIONED
    values = measure_queries(run, direction.right, names)
    groups = significance.numbered([query.group for query in direction.queries])
    ranks = values.pop("rank")
    means = {name: 100 * float(one.mean()) for name, one in values.items()} | {MEDIAN: float(np.median(ranks))}
    ends = {name: significance.interval(100 * one, groups) for name, one in values.items()}
    return Measured(means, ends | {MEDIAN: significance.median_interval(ranks, groups)}, values)


def as_json(report: EvaluationReport) -> dict[str, Any]:
    """The report as JSON: direction -> mode -> measure in per cent, and the other fields of EvaluationReport.

    A median rank beyond the retrieved depth is null.
    """
    found: dict[str, Any] = {name: _modes(asked) for name, asked in report.directions.items()}
    found |= {"about": dict(report.about), "cost": {name: round(n, 1) for name, n in report.cost.items()}}
    if report.curve:
        found["curve"] = [_step(step) for step in report.curve]
    if report.truth:
        found["truth"] = asdict(report.truth)
    return found | {"queries": {name: _queries(asked) for name, asked in report.directions.items()}}


def write(report: EvaluationReport, path: Path) -> None:
    """Write the report's JSON to `path`. Raises ConfigError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dumped(as_json(report)) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The report {path} cannot be written: {error.strerror}.") from error


def dumped(value: Any, depth: int = 0) -> str:
    """JSON with nested objects indented and all else on one line."""
    if not isinstance(value, dict) or not any(isinstance(one, dict) for one in value.values()):
        return json.dumps(value, ensure_ascii=False)
    space = " " * (depth + 1)
    lines = [f"{space}{json.dumps(key)}: {dumped(one, depth + 1)}" for key, one in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"


def _modes(asked: DirectionResult) -> dict[str, Any]:
    active = {"query_terms": round(asked.query_terms, 2), "item_terms": round(asked.item_terms, 2)}
    return {
        name: {
            **{key: _number(value) for key, value in one.means.items()},
            "interval": {key: [_number(low), _number(high)] for key, (low, high) in one.intervals.items()},
            **({} if name == "vector" else active),
        }
        for name, one in asked.modes.items()
    }


def _queries(asked: DirectionResult) -> dict[str, Any]:
    """The values per query, in order. The digest identifies the queries, so that comparable reports are recognised."""
    digest = hashlib.blake2b("\n".join(asked.queries).encode(), digest_size=8).hexdigest()
    modes = {
        name: {key: [_short(x) for x in values.tolist()] for key, values in one.queries.items() if key in _COMPARED}
        for name, one in asked.modes.items()
    }
    return {"digest": digest, "groups": list(asked.groups), "modes": modes}


def _step(step: Step) -> dict[str, Any]:
    means = {mode: {key: _number(value) for key, value in found.items()} for mode, found in step.means.items()}
    sizes = {name: round(n, 1) for name, n in step.bytes.items()}
    return {"keep": step.keep, "terms": round(step.terms, 2), "text_to_image": means, "bytes": sizes}


def _number(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _short(value: float) -> float | int:
    return int(value) if value in {0.0, 1.0} else round(value, 4)
