"""The bench runs and says what it measures, part by part; how fast anything is, no test asserts."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
import torch
from bench.__main__ import MORE, PARTS, measured, table
from bench.figure import Figure, beside
from opensearchpy import OpenSearch
from support.checkout import TESTS

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine.node_control import Node

# These run by the command, in a process and with a node of their own; the others here, with the tests' node.
BY_COMMAND = ("many", "load")


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    """The figures of the parts BY_COMMAND, as the command wrote them down."""
    found = tmp_path_factory.mktemp("bench") / "found.json"
    words = [sys.executable, "-m", "bench", *BY_COMMAND, "--quick", "--json", str(found)]
    done = subprocess.run(
        words, env=os.environ | {"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(found.read_text())
    assert told["quick"]
    assert told["machine"]["cores"] >= 1
    parts: dict[str, list[dict[str, object]]] = told["parts"]
    return parts


@pytest.mark.parametrize("part", BY_COMMAND)
def test_the_command_measures_something_or_says_why_not(
    part: str, reported: dict[str, list[dict[str, object]]]
) -> None:
    assert reported[part]
    for figure in reported[part]:
        assert figure["name"]
        if figure["value"] is None:
            assert figure["note"]
        else:
            assert math.isfinite(float(str(figure["value"])))


@pytest.fixture
def in_place(node: Node, client: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' node in the place of the bench's own; what a part leaves behind is gone afterwards."""
    there, threads = set(client.indices.get(index="*")), torch.get_num_threads()

    @contextmanager
    def shared_node(*, heap: str) -> Iterator[tuple[Node, OpenSearch]]:
        assert heap
        yield node, connect(Address(node.url), timeout=600)

    for part in (*PARTS, *MORE):
        module = import_module(f"bench.parts.{part}")
        if hasattr(module, "own_node"):
            monkeypatch.setattr(module, "own_node", shared_node)
    yield
    torch.set_num_threads(threads)
    for index in set(client.indices.get(index="*")) - there:
        client.indices.delete(index=index)


@pytest.mark.usefixtures("in_place")
@pytest.mark.parametrize("part", [part for part in (*PARTS, *MORE) if part not in BY_COMMAND])
def test_each_part_measures_something_or_says_why_not(part: str) -> None:
    figures = list(measured(part, quick=True))
    assert figures
    for figure in figures:
        assert figure.unit != "error", figure.note
        assert figure.note if figure.value is None else math.isfinite(figure.value)
    assert table(part, figures, seconds=1.0).row_count == len(figures)


def test_a_figure_is_judged_by_its_ratio_and_without_one_by_its_value() -> None:
    assert beside("rate", 95, "1/s", ceiling=100, wanted=">= 0.95").met
    assert beside("rate", 94, "1/s", ceiling=100, wanted=">= 0.95").met is False
    assert Figure("time", 6.0, "ms", wanted="<= 5").met is False
    assert Figure("time", 6.0, "ms").met is None
    assert Figure("time", None, "ms", wanted="<= 5").met is None
