"""The bench runs and says what it measures, part by part; how fast anything is, no test asserts."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import MORE, PARTS
from bench.figure import Figure, beside
from support.checkout import TESTS


def quick(part: str, folder: Path) -> dict[str, dict[str, object]]:
    """The figures of a part on tiny sizes, by name."""
    words = [sys.executable, "-m", "bench", part, "--quick", "--json", str(folder / "found.json")]
    done = subprocess.run(
        words, env=os.environ | {"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((folder / "found.json").read_text())
    assert found["quick"]
    assert found["machine"]["cores"] >= 1
    return {figure["name"]: figure for figure in found["parts"][part]}


@pytest.mark.parametrize("part", [*PARTS, *MORE])
def test_each_part_measures_something_or_says_why_not(part: str, tmp_path: Path) -> None:
    figures = quick(part, tmp_path)
    assert figures
    for figure in figures.values():
        if figure["value"] is None:
            assert figure["note"]
        else:
            assert math.isfinite(float(str(figure["value"])))


def test_a_figure_is_judged_by_its_ratio_and_without_one_by_its_value() -> None:
    assert beside("rate", 95, "1/s", ceiling=100, wanted=">= 0.95").met
    assert beside("rate", 94, "1/s", ceiling=100, wanted=">= 0.95").met is False
    assert Figure("time", 6.0, "ms", wanted="<= 5").met is False
    assert Figure("time", 6.0, "ms").met is None
    assert Figure("time", None, "ms", wanted="<= 5").met is None
