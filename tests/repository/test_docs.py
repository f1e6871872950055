"""What the documents say is so: commands, requests and code run as written, options, links and paths are there."""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from support.checkout import ROOT
from support.repository.documents import Document, documents, stranger

import lexel.pipeline
from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.cli.main import app
from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.engine.folders import shared_folder
from lexel.pipeline.search.encode_query import encode_picture

DOCUMENTS = documents()
README, *OTHERS = DOCUMENTS
# How many lines a person reads before anything else, and how many in all.
FIRST_SCREEN, MOST_LINES = 40, 150
# What runs here, what is only looked at, and what is a file's content.
LANGUAGES = {"sh", "http", "python", "text", "toml", "yaml"}
FOLDERS = "pipeline|encoders|mappings|scripts|docker|docs|tests"


def having(language: str) -> list[Document]:
    return [one for one in OTHERS if one.blocks(language)]


def environment(home: Path) -> dict[str, str]:
    # The encoder is the one that a reader gets, and not the small one of the other tests.
    ours = ("OPENSEARCH_", "LEXEL_ENCODER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"LEXEL_HOME": str(home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(home: Path, *command: str) -> str:
    """What a command prints, in the folder that all documents share."""
    work = home / "work"
    answer = subprocess.run(command, cwd=work, env=environment(home), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:] + answer.stdout[-2000:]
    return answer.stdout


def shell(home: Path, blocks: list[str]) -> str:
    return run(home, "bash", "-euo", "pipefail", "-c", "\n".join(blocks))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A machine's state for these commands alone, but for OpenSearch's files, which need not be fetched again."""
    folder = Path(tempfile.mkdtemp(prefix="lexel-docs-"))
    folder.chmod(0o755)
    (folder / "engine").symlink_to(shared_folder())
    (folder / "work").mkdir()
    yield folder
    node_control.stop(folder / "node")
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.fixture(scope="module")
def printed(home: Path) -> str:
    """What README's commands print; all other documents go on from what these have made."""
    first, *rest = README.blocks("sh")
    assert "./scripts/demo" in first, "the first block is not run: it sets up a machine"
    return shell(home, rest)


def test_the_first_two_commands_are_there_and_can_be_run() -> None:
    first = [line for line in README.blocks("sh")[0].splitlines() if line]
    assert [line.split()[0] for line in first] == ["./scripts/demo", "./scripts/test"]
    assert all(os.access(ROOT / line.split()[0], os.X_OK) for line in first)


def test_the_first_screen_says_what_it_is_and_how_to_see_it() -> None:
    first = "\n".join(README.text.splitlines()[:FIRST_SCREEN])
    for part in ("# lexel", "docs/coffee.jpg", "lexel terms", "./scripts/demo", "./scripts/test", "lexel evaluate"):
        assert part in first
    assert re.search(r"\d+\.\d %", first), "no figure that can be checked"


def test_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= MOST_LINES


def test_readme_leads_to_every_document() -> None:
    there = {ROOT / link.partition("#")[0] for link in README.links}
    assert {one.path for one in DOCUMENTS} - {README.path} <= there


def test_the_words_of_the_first_picture_are_those_shown() -> None:
    shown = re.findall(r"^(\w+) +(\d\.\d\d)  ", README.blocks("text")[0], flags=re.MULTILINE)
    assert len(shown) == 6
    model = load_model(open_encoder("lexel-photo"), device="cpu")
    terms = encode_picture(model, (ROOT / "docs/coffee.jpg").read_bytes()).terms[0]
    found = list(terms.items())[:6]
    assert [term for term, _ in found] == [term for term, _ in shown]
    assert [weight for _, weight in found] == pytest.approx([float(weight) for _, weight in shown], abs=0.03)


def test_readmes_commands_run_in_order_as_written(printed: str) -> None:
    assert "dog" in printed
    script = "\n".join(README.blocks("sh"))
    for command in ("engine start", "index", "search", "terms"):
        assert f"lexel {command}" in script


@pytest.mark.parametrize("document", having("sh"), ids=str)
def test_a_documents_commands_run_in_order_as_written(document: Document, home: Path, printed: str) -> None:
    assert shell(home, document.blocks("sh")).strip()


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.blocks("python")], ids=str)
def test_a_documents_code_runs_after_them(document: Document, home: Path, printed: str) -> None:
    assert run(home, sys.executable, "-c", "\n".join(document.blocks("python"))).strip()


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.blocks("http")], ids=str)
def test_a_documents_requests_find_something(document: Document, home: Path, printed: str) -> None:
    node = node_control.running(home / "node")
    assert node is not None
    client = connect(Address(node.url))
    vector = load_model(open_encoder("lexel-photo"), device="cpu").text_vectors(["a dog on the beach"])[0].tolist()
    for request in document.blocks("http"):
        first, _, text = request.partition("\n")
        method, path = first.split()
        body = json.loads(text.replace('"VECTOR"', json.dumps(vector)))
        answer = client.transport.perform_request(method, f"/{path}", body=body)
        assert answer["hits"]["total"]["value"] > 0, request


def test_the_cookbook_has_requests() -> None:
    assert sum(len(one.blocks("http")) for one in DOCUMENTS) >= 10


def test_code_imports_from_the_front_door_alone() -> None:
    for document in DOCUMENTS:
        for block in document.blocks("python"):
            for node in ast.walk(ast.parse(block)):
                names = [name.name for name in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lexel"):
                    assert node.module == "lexel.pipeline", f"{document} imports from {node.module}"
                    assert set(names) <= set(lexel.pipeline.__all__), f"{document} imports {names}"
                elif isinstance(node, ast.Import):
                    assert not any(name.startswith("lexel") for name in names), f"{document} imports {names}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_and_options_that_are_named_are_there(document: Document) -> None:
    command = typer.main.get_command(app)
    wrong = {" ".join(words): word for words in document.calls if (word := stranger(words, command))}
    assert not wrong


def test_a_command_or_option_that_is_not_there_is_seen() -> None:
    command = typer.main.get_command(app)
    assert stranger(["serach", "a dog"], command) == "serach"
    assert stranger(["search", "a dog", "--indx", "photos"], command) == "--indx"
    assert stranger(["engine", "begin"], command) == "begin"
    assert stranger(["search", "a dog", "--index=photos", "-k", "5"], command) is None
    assert stranger(["engine", "start", "--heap", "2g"], command) is None


def all_options() -> set[str]:
    """Every option of every command, and of the scripts by what they say of themselves."""
    found: set[str] = set()
    left = [typer.main.get_command(app)]
    while left:
        command = left.pop()
        left += getattr(command, "commands", {}).values()
        found |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for script in (path for path in (ROOT / "scripts").iterdir() if path.is_file()):
        found |= set(re.findall(r"\[(--\w+)", script.read_text(encoding="utf-8")))
    return found | {"--help"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_options_that_are_named_alone_are_somebodys(document: Document) -> None:
    named = {word for span in document.spans for word in re.findall(r"(?<!\S)--[a-z][\w-]*", span)}
    assert not named - all_options()


def test_every_command_is_in_the_table() -> None:
    table = {words[0] for words in Document(ROOT / "docs/commands.md").calls if words}
    assert set(typer.main.get_command(app).commands) <= table  # type: ignore[attr-defined]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Document) -> None:
    for link in document.links:
        path, _, anchor = link.partition("#")
        there = (document.path.parent / path).resolve() if path else document.path
        assert there.exists(), f"{document} links to {link}"
        if anchor:
            assert anchor in Document(there).anchors, f"{document} links to {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_what_a_file_is_said_to_define_is_in_it(document: Document) -> None:
    for name, path in document.definitions:
        assert re.search(rf"^(class|def) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE), f"{name}, {path}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_paths_that_are_named_are_there(document: Document) -> None:
    named = {word for line in document.code for word in line.split() if re.match(rf"(\./)?({FOLDERS})/\w", word)}
    left = {word for word in named if not re.search(r"[A-Z]{4}", word) and not (ROOT / word.split("::")[0]).exists()}
    assert not left


@pytest.mark.parametrize("script", ["soak", "bench"])
def test_parts_of_scripts_that_are_named_are_there(script: str) -> None:
    parts = {path.stem for path in (ROOT / "tests" / script / "parts").glob("*.py")}
    calls = [line for one in DOCUMENTS for line in one.code if line.startswith(f"./scripts/{script}")]
    assert calls
    for call in calls:
        words = [word for word in call.split()[1:] if word.islower() and word.isalpha()]
        assert set(words) <= parts, call


def test_blocks_are_of_known_languages() -> None:
    for document in DOCUMENTS:
        assert document.languages <= LANGUAGES, document
