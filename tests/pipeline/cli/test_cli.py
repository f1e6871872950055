"""The command line as a person meets it: help, examples, errors."""

import json
import os
from pathlib import Path

import pytest
import typer
from opensearchpy import OpenSearch
from support.commands import lexel
from support.making import photo_folder

from lexel.pipeline.cli.main import app
from lexel.pipeline.collection.tsne_map import load_or_make_map
from lexel.pipeline.shards.folder import finished_shards


def commands() -> list[list[str]]:
    group = typer.main.get_command(app)
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [[name, sub] for sub in inner] if inner else [[name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    answer = lexel(*command, "--help")
    assert answer.returncode == 0
    assert f"Example: lexel {' '.join(command)}" in answer.stdout


def test_help_names_every_command() -> None:
    answer = lexel("--help")
    for command in commands():
        assert command[0] in answer.stdout


ERRORS = {
    "nothing there": (["encode", "no/such/place", "out"], "There is nothing at no/such/place"),
    "no encoder": (["encode", ".", "out", "--encoder", "no-such-encoder"], "no encoder 'no-such-encoder'"),
    "bad part": (["encode", ".", "out", "--part", "5/2"], "write i/n"),
    "no shards": (["load", "."], "holds no shards"),
    "no picture": (["terms", "no-such.jpg"], "cannot be read"),
    "broken picture": (["terms", __file__], "test_cli.py cannot be used as an image (not an image"),
    "a file of shards": (["load", __file__], "is a file: give the folder of shards"),
    "no such picture": (["search", "a dog", "--image", "dog.jpg"], "cannot be read"),
    "nothing asked": (["search"], "give words"),
    "no mode": (["search", "a dog", "--mode", "magic"], "no mode 'magic'"),
    "no cluster": (["search", "a dog"], "does not answer"),
    "no config": (["search", "a dog", "--config", "no-such.yaml"], "cannot be read"),
}


@pytest.mark.parametrize(("arguments", "says"), ERRORS.values(), ids=ERRORS)
def test_errors_are_one_sentence_and_exit_1(arguments: list[str], says: str, tmp_path: Path) -> None:
    where = os.getcwd()
    os.chdir(tmp_path)
    try:
        # Port 9 is never OpenSearch's.
        answer = lexel(*arguments, OPENSEARCH_URL="http://127.0.0.1:9")
    finally:
        os.chdir(where)
    assert answer.returncode == 1
    assert answer.stdout == ""
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("lexel: ")
    assert says in lines[0]
    assert "Traceback" not in answer.stderr


def test_a_directory_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = lexel("encode", str(tmp_path / "empty"), str(tmp_path / "out"))
    assert answer.returncode == 1
    assert "nothing to encode" in answer.stderr


def test_encoding_leaves_the_map_for_the_load(tmp_path: Path) -> None:
    photo_folder(tmp_path / "photos", count=6)
    assert lexel("encode", str(tmp_path / "photos"), str(tmp_path / "out")).returncode == 0
    made = (tmp_path / "out" / "map.parquet").read_bytes()
    load_or_make_map(tmp_path / "out", finished_shards(tmp_path / "out"))
    assert (tmp_path / "out" / "map.parquet").read_bytes() == made
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_bytes(b"bad")
    assert lexel("encode", str(tmp_path / "bad"), str(tmp_path / "none")).returncode == 0
    assert not (tmp_path / "none" / "map.parquet").exists()


def test_an_index_can_be_pointed_at_other_pictures(at_node: str, client: OpenSearch, tmp_path: Path) -> None:
    home = {"LEXEL_HOME": str(tmp_path / "home"), "OPENSEARCH_URL": at_node}
    for first, count in ((0, 4), (50, 7)):
        folder = str(tmp_path / f"from-{first}")
        lexel("scenes", folder, "--count", str(count), "--seed", str(first))
        answer = lexel("index", folder, "--index", "pointed", **home)
        assert answer.returncode == 0, answer.stderr
        assert f"{count} documents in the index pointed" in answer.stdout
    every = ("search", "a picture of a dog", "--index", "pointed", "--json", "--no-cutoff")
    found = json.loads(lexel(*every, **home).stdout)
    assert {hit["uri"] for hit in found["hits"]} == {f"images/{seed:06d}.jpg" for seed in range(50, 57)}
    client.indices.delete(index="pointed-*")
