"""The front door: which names `lexel.pipeline` hands on, and that each comes when it is asked for and not before."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lexel.pipeline
from lexel.pipeline import _WHERE

NAMES = [
    "Address",
    "EncodeOptions",
    "Encoder",
    "EncoderError",
    "EvaluateOptions",
    "LexelError",
    "LoadOptions",
    "PreviewOptions",
    "SearchIndex",
    "SearchRequest",
    "TrainOptions",
    "connect",
    "encode_source",
    "evaluate_encoder",
    "explain_item",
    "index_source",
    "load_model",
    "load_shards",
    "open_encoder",
    "open_index",
    "open_source",
    "query_dsl",
    "search_index",
    "train_encoder",
]


def test_the_exported_names_are_these() -> None:
    assert sorted(lexel.pipeline.__all__) == NAMES
    assert sorted(_WHERE) == NAMES
    assert set(NAMES) <= set(dir(lexel.pipeline))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_what_its_module_defines(name: str) -> None:
    found = getattr(lexel.pipeline, name)
    assert found.__name__.rpartition(".")[2] == name
    assert found.__doc__


def test_a_type_checker_sees_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(lexel.pipeline.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == _WHERE


def test_the_typed_program_uses_every_name() -> None:
    program = ast.parse(Path(__file__).with_name("typed").joinpath("front_door.py").read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(program) if isinstance(node, ast.Name)}
    assert set(NAMES) <= used


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(lexel.pipeline, "nonsense")  # noqa: B009
    with pytest.raises(ImportError):
        exec("from lexel.pipeline import nonsense")


def test_a_sparse_search_loads_no_torch() -> None:
    code = """
import sys
from lexel.pipeline import LoadOptions, SearchIndex, SearchRequest, connect, explain_item, load_shards, open_encoder
from lexel.pipeline import open_index, open_source, query_dsl, search_index
assert open_encoder().query("two dogs") == {"dog": 1.0, "two": 1.0}, open_encoder().query("two dogs")
print("torch" in sys.modules)
import lexel.pipeline
lexel.pipeline.load_model
print("torch" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "True"]
