"""Odd shards, worlds and ends: a sentence, the same bytes, or one line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from soak.ground import Ground
from soak.parts.files import HARMS, WORLDS, odd, reference, refused, stopped
from support.checkout import ROOT

from lexel.pipeline.engine import node_control

Reference = tuple[Path, Path, dict[str, bytes]]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, node: node_control.Node) -> Ground:
    return Ground(tmp_path_factory.mktemp("odd"), node)


@pytest.fixture(scope="module")
def known(ground: Ground) -> Reference:
    return reference(ground)


@pytest.mark.parametrize("harm", HARMS)
def test_a_shard_that_is_none_is_refused_by_its_name(ground: Ground, harm: Callable[[Path], None]) -> None:
    assert refused(ground, harm)


@pytest.mark.parametrize("name", ["LC_ALL=C", "LC_ALL=tr_TR.UTF-8", "ASCII output", "the year 1970", "the year 2100"])
def test_the_same_bytes_come_of_an_odd_world(ground: Ground, known: Reference, name: str) -> None:
    assert name in WORLDS
    assert odd(ground, *known, name) == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_letter_shows_the_rest(encoding: str) -> None:
    picture = ROOT / "docs" / "sunset.jpg"
    code = "from lexel.pipeline.cli.main import main; main()"
    answer = subprocess.run(
        [sys.executable, "-c", code, "terms", str(picture), "-k", "2", "--device", "cpu"],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert b"water" in answer.stdout
    assert ("━".encode() in answer.stdout) == (encoding == "utf-8")


def test_ctrl_c_is_one_line_and_the_same_command_goes_on(ground: Ground) -> None:
    assert stopped(ground, 0) == ""
