"""Compares two evaluations of the same queries, with confidence intervals and significance tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.significance import interval, p_value


@dataclass(frozen=True)
class MeasureDifference:
    """One measure of A and B: means and difference B - A in points (0 to 100), its 95 % interval and p value."""

    direction: str
    mode: str
    measure: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class RunComparison:
    """The names of A and B, and the differences in the order of A's report."""

    a: str
    b: str
    differences: tuple[MeasureDifference, ...]


def compare(a: Path, b: Path) -> RunComparison:
    """Compare two files written by `lexel evaluate --json`.

    Raises ConfigError if one is no such file, or they have different queries.
    """
    first, second = _read(a), _read(b)
    found: list[MeasureDifference] = []
    for direction, asked in first["queries"].items():
        other = second["queries"].get(direction)
        if other is None:
            continue
        if (other["digest"], other["groups"]) != (asked["digest"], asked["groups"]):
            raise ConfigError(f"{a} and {b} asked other queries, so they cannot be paired; evaluate on the same split.")
        found += _differences(direction, asked, other)
    if not found:
        raise ConfigError(f"{a} and {b} have no direction and mode in common; evaluate with the same --modes.")
    return RunComparison(_name(first), _name(second), tuple(found))


def _differences(direction: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[MeasureDifference]:
    groups = np.asarray(a["groups"], np.int64)
    return [
        _difference(direction, mode, measure, np.asarray(values, float), np.asarray(other, float), groups)
        for mode, measures in a["modes"].items()
        for measure, values in measures.items()
        if (other := b["modes"].get(mode, {}).get(measure)) is not None
    ]


def _difference(direction: str, mode: str, measure: str, a: Any, b: Any, groups: Any) -> MeasureDifference:
    gain = 100 * (b - a)
    low, high = interval(gain, groups)
    return MeasureDifference(
        direction,
        mode,
        measure,
        a=float(100 * a.mean()),
        b=float(100 * b.mean()),
        difference=float(gain.mean()),
        low=low,
        high=high,
        p=p_value(gain, groups),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {"about", "queries"} <= report.keys():
            return report
    except OSError as error:
        raise ConfigError(f"The report {path} cannot be read: {error.strerror}.") from error
    except (ValueError, AttributeError, TypeError):
        pass
    raise ConfigError(f"{path} is not a report; `lexel evaluate CAPTIONS --json {path}` writes one.")


def _name(report: Mapping[str, Any]) -> str:
    about = report["about"]
    keep = f", {about['keep']} terms" if about.get("keep") else ""
    return f"{about['encoder']} {about['fingerprint']}{keep}"
