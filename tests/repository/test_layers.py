"""Who may import whom, and what may not load torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import ROOT

MAY_IMPORT = {"mappings": {"mappings"}, "encoders": {"encoders"}, "pipeline": {"mappings", "encoders", "pipeline"}}
HEAVY = ("torch", "transformers", "torchvision")
LIGHT = [
    "lexel.encoders",
    "lexel.mappings",
    "lexel.pipeline.cli.main",
    "lexel.pipeline.load.run",
    "lexel.pipeline.search.query_dsl",
    "lexel.pipeline.search.run",
    "lexel.pipeline.serve.app",
    "lexel.pipeline.sources.source",
]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("lexel.")}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_data_flows_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        strangers = {name for name in imports(path) if name.split(".")[1] not in MAY_IMPORT[package]}
        assert not strangers, f"{path.name} imports {strangers}"


@pytest.mark.parametrize("module", LIGHT)
def test_what_needs_no_network_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"


def test_scripts_are_never_imported() -> None:
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            assert not any(name.startswith("lexel.scripts") for name in imports(path))


def test_files_can_be_read_in_one_sitting() -> None:
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
