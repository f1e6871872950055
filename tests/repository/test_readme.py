"""README's commands and code run as they are written."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checkout import ROOT

from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.engine.folders import shared_folder
from lexel.pipeline.search.encode_query import encode_picture

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENSEARCH_")}
    return kept | {"LEXEL_HOME": str(home)}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A machine's state for these commands alone, but for OpenSearch's files, which need not be fetched again."""
    folder = Path(tempfile.mkdtemp(prefix="lexel-readme-"))
    folder.chmod(0o755)
    (folder / "engine").symlink_to(shared_folder())
    yield folder
    node_control.stop(folder / "node")
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_the_first_two_commands_are_there_and_can_be_run() -> None:
    first = [line for line in blocks("sh")[0].splitlines() if line]
    assert [line.split()[0] for line in first] == ["./scripts/demo", "./scripts/test"]
    assert all(os.access(ROOT / line.split()[0], os.X_OK) for line in first)


def test_the_shell_commands_run_in_order_as_written(home: Path) -> None:
    script = "\n".join(blocks("sh")[1:])
    assert "lexel index" in script
    assert "lexel search" in script
    work = home / "work"
    work.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=work,
        env={k: v for k, v in os.environ.items() if not k.startswith("OPENSEARCH_")}
        | {"PATH": path, "LEXEL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2000:] + answer.stdout[-2000:]
    assert "dog" in answer.stdout


def test_the_python_code_runs_after_them(home: Path) -> None:
    code = "\n".join(blocks("python"))
    assert "hybrid" in code
    command = [sys.executable, "-c", code]
    answer = subprocess.run(
        command, cwd=home / "work", env=environment(home), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert answer.stdout.strip()


def test_the_requests_of_the_cookbook_find_something(home: Path) -> None:
    node = node_control.running(home / "node")
    assert node is not None
    client = connect(Address(node.url))
    vector = load_model(open_encoder(), device="cpu").text_vectors(["a dog on the beach"])[0].tolist()
    requests = blocks("http")
    assert len(requests) >= 10
    for request in requests:
        first, _, text = request.partition("\n")
        method, path = first.split()
        body = json.loads(text.replace('"VECTOR"', json.dumps(vector)))
        answer = client.transport.perform_request(method, f"/{path}", body=body)
        assert answer["hits"]["total"]["value"] > 0, request


def test_the_words_of_the_first_picture_are_those_shown() -> None:
    shown = re.findall(r"^(\w+) +(\d\.\d\d)  ", blocks("text")[0], flags=re.MULTILINE)
    assert len(shown) == 6
    model = load_model(open_encoder(), device="cpu")
    terms = encode_picture(model, (ROOT / "docs/sunset.jpg").read_bytes()).terms[0]
    found = list(terms.items())[:6]
    assert [term for term, _ in found] == [term for term, _ in shown]
    assert [weight for _, weight in found] == pytest.approx([float(weight) for _, weight in shown], abs=0.03)
