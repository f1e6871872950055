"""How the packages are laid out: imports run one way, a folder is small, a name means one thing."""

import ast
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from support.checkout import ROOT

PACKAGES = ("mappings", "encoders", "pipeline")
# What stands in a package, bottom to top: each may import what stands before it, and itself.
ORDER = {
    "": PACKAGES,
    "mappings": ("__init__", "dashboard_pack"),
    "encoders": (
        *(
            "encoder_error",
            "term_weights",
            "vocabulary",
            "layers",
            "runtime",
            "image",
            "text",
            "towers",
            "weights_file",
            "pair",
            "heads",
        ),
        *("encoder", "model", "card", "registry", "captioner", "openvino_export", "__init__"),
    ),
    "pipeline": (
        *("errors", "progress", "timings", "paths", "iterators", "atomic", "ray_parts", "scenes", "engine"),
        *(
            "sources",
            "images",
            "shards",
            "collection",
            "encode",
            "cluster",
            "load",
            "search",
            "explain",
            "stats",
            "dashboards",
            "evaluate",
        ),
        *("calibrate", "train", "serve", "notebook", "ingest", "__init__", "cli"),
    ),
}
MOST_MODULES, MOST_LINES = 13, 300
# A stage's entry is its `run`; a command and a route have the name that people type, which is that of what they call.
SHARED_NAMES = {"__init__", "run"}
NAMED_AS_TYPED = ("pipeline/cli/commands", "pipeline/serve/routes")
HEAVY = ("torch", "transformers", "torchvision", "timm")
LIGHT = [
    "lexel.encoders",
    "lexel.mappings",
    "lexel.pipeline",
    "lexel.pipeline.cli.main",
    "lexel.pipeline.load.run",
    "lexel.pipeline.notebook",
    "lexel.pipeline.search.query_dsl",
    "lexel.pipeline.search.run",
    "lexel.pipeline.serve.app",
    "lexel.pipeline.sources.source",
]


@cache
def files() -> dict[str, Path]:
    """Every module of the packages by its dotted name; a package is called by its `__init__`."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found[".".join(("lexel", *path.relative_to(ROOT).with_suffix("").parts))] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(name: str) -> str | None:
    """The module that `name` is, or is defined in; None for what is not ours."""
    for wanted in (name, f"{name}.__init__", name.rpartition(".")[0], f"{name.rpartition('.')[0]}.__init__"):
        if wanted in files():
            return wanted
    assert not name.startswith("lexel."), f"{name} is imported and is not there"
    return None


@cache
def imports() -> dict[str, set[str]]:
    """What each module imports of ours, wherever in the file it does so."""
    found: dict[str, set[str]] = {}
    for module, path in files().items():
        names = set()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        found[module] = {other for name in names if (other := module_of(name))}
    return found


def place(module: str) -> tuple[str, int, int | None]:
    """The package of a module, which it is of the packages, and where it stands in its package."""
    _, package, first, *_ = module.split(".")
    return package, ORDER[""].index(package), ORDER[package].index(first) if first in ORDER[package] else None


def runs_up(importer: str, imported: str) -> bool:
    package, layer, stage = place(importer)
    other, below, its = place(imported)
    if package != other:
        return below > layer
    assert stage is not None, f"{importer} has no place in the order of {package}"
    assert its is not None, f"{imported} has no place in the order of {package}"
    return its > stage


def test_every_module_has_a_place() -> None:
    strangers = [module for module in files() if place(module)[2] is None]
    assert not strangers, f"not in the order of stages: {strangers}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_runs_up_the_order_of_stages(package: str) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, others in imports().items()
        for imported in others
        if importer.split(".")[1] == package and runs_up(importer, imported)
    ]
    assert not wrong, "\n".join(wrong)


def test_an_import_that_runs_up_is_seen() -> None:
    assert runs_up("lexel.pipeline.search.run", "lexel.pipeline.serve.app")
    assert runs_up("lexel.encoders.model", "lexel.pipeline.errors")
    assert not runs_up("lexel.pipeline.serve.app", "lexel.pipeline.search.run")
    assert not runs_up("lexel.pipeline.errors", "lexel.mappings.__init__")


def test_no_modules_import_one_another_in_a_circle() -> None:
    left = {module: set(others) - {module} for module, others in imports().items()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"in circles, or above one: {sorted(left)}"


def test_no_folder_has_more_modules_than_a_person_takes_in() -> None:
    folders: dict[Path, int] = defaultdict(int)
    for path in [*files().values(), *(ROOT / "tests").rglob("*.py")]:
        folders[path.parent] += path.stem != "__init__"
    assert not {str(folder): count for folder, count in folders.items() if count > MOST_MODULES}


def test_no_two_modules_have_one_name() -> None:
    named: dict[str, list[str]] = defaultdict(list)
    for path in files().values():
        where = path.relative_to(ROOT).as_posix()
        if path.stem not in SHARED_NAMES and not where.startswith(NAMED_AS_TYPED):
            named[path.stem].append(where)
    assert not {name: paths for name, paths in named.items() if len(paths) > 1}


def test_no_two_classes_have_one_name() -> None:
    named: dict[str, list[str]] = defaultdict(list)
    for module, path in files().items():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef):
                named[node.name].append(module)
    assert not {name: modules for name, modules in named.items() if len(modules) > 1}


def test_no_library_function_takes_more_than_eight_parameters() -> None:
    """What belongs together is one value. A command has an option for each, which is its nature."""
    long = []
    for module, path in files().items():
        if module.startswith("lexel.pipeline.cli.commands"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([one for one in taken if one.arg not in {"self", "cls"}]) > 8:
                    long.append(f"{module}.{node.name}")
    assert not long


def test_commands_call_the_library_and_never_each_other() -> None:
    commands = "lexel.pipeline.cli.commands."
    calls = [
        f"{importer} imports {imported}"
        for importer, others in imports().items()
        for imported in others
        if importer.startswith(commands) and imported.startswith(commands) and importer != imported
    ]
    assert not calls


def test_files_can_be_read_in_one_sitting() -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files().values()}
    assert not {path: length for path, length in lengths.items() if length > MOST_LINES}


def test_every_package_is_listed_for_the_wheel() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {module.rpartition(".")[0] for module in files()}
    assert sorted(listed) == sorted(there)


def test_every_folder_says_what_it_is() -> None:
    for path in {path.parent for path in files().values()}:
        assert ast.get_docstring(tree(path / "__init__.py")), f"{path} has no docstring"


@pytest.mark.parametrize("module", LIGHT)
def test_what_needs_no_network_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
