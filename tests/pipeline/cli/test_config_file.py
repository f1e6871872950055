"""The YAML file of options, through the real command line."""

from pathlib import Path

import pytest
from support.making import photo_folder, random_encoder
from typer.testing import CliRunner, Result

from lexel.pipeline.cli.config_file import options, read
from lexel.pipeline.cli.main import app
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.shards.folder import finished_shards


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_encoder(tmp_path_factory.mktemp("encoder")).folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with five pictures in `photos`."""
    photo_folder(tmp_path / "photos", count=5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(text: str, *arguments: str) -> Result:
    """Run `lexel` with a configuration file that says `text`."""
    Path("lexel.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, [*arguments, "--config", "lexel.yaml"])


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("lexel: ")
    return lines[0]


def test_options_and_arguments_come_from_the_file(here: Path, encoder: Path) -> None:
    text = f"device: cpu\nencode:\n  source: photos\n  out: made\n  encoder: {encoder}\n  shard-size: 2\n  part: 0/1\n"
    result = run(text, "encode")
    assert result.exit_code == 0, result.output
    assert [shard.rows() for shard in finished_shards(here / "made")] == [2, 2, 1]


def test_the_command_line_wins(here: Path, encoder: Path) -> None:
    text = f"encode:\n  source: nowhere\n  out: wrong\n  encoder: {encoder}\n  shard-size: 2\n"
    result = run(text, "encode", "photos", "right", "--shard-size", "4")
    assert result.exit_code == 0, result.output
    assert [shard.rows() for shard in finished_shards(here / "right")] == [4, 1]
    assert not (here / "wrong").exists()


def test_a_section_wins_over_what_is_for_all_commands(here: Path, encoder: Path) -> None:
    text = f"shard-size: 1\nindex: photos\nencoder: {encoder}\nencode:\n  shard_size: 3\nload:\n  index: other\n"
    result = run(text, "encode", "photos", "made")
    assert result.exit_code == 0, result.output
    assert [shard.rows() for shard in finished_shards(here / "made")] == [3, 2]


def test_a_file_without_sections(here: Path, encoder: Path) -> None:
    result = run(f"encoder: {encoder}\nshard-size: 5\ncaptions: false\nworkers: null\n", "encode", "photos", "made")
    assert result.exit_code == 0, result.output
    assert [shard.rows() for shard in finished_shards(here / "made")] == [5]


def test_a_date_is_a_name_where_a_name_is_wanted(here: Path, encoder: Path) -> None:
    result = run(f"encoder: {encoder}\nout: 2024-05-01\nsource: photos", "encode")
    assert result.exit_code == 0, result.output
    assert len(finished_shards(here / "2024-05-01")) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope: 1", ["`lexel encode` has no option 'nope'", "batch-size", "source"]),
        ("encode:\n  nope: 1", ["`lexel encode` has no option 'nope'"]),
        ("batch-size: 5\nnope: 1\nload: {index: x}", ["no option 'nope'"]),
        ("k: 5", ["`lexel encode` has no option 'k'"]),
        ("7: 5", ["no option 7"]),
        ("encode: 5", ["no option 'encode'"]),
        ("encod: {part: 0/1}", ["no command 'encod'"]),
        ("encode: {part: 0/1", ["lexel.yaml cannot be read", "line 1"]),
        ("a: [1\nb: 2", ["lexel.yaml cannot be read", "line 2"]),
        ("!!python/object/apply:os.system ['touch hacked']", ["lexel.yaml cannot be read"]),
        ("", ["should be a table"]),
        ("just words", ["should be a table"]),
        ("- a\n- b", ["should be a table"]),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(here: Path, text: str, words: list[str]) -> None:
    said = refused(run(text, "encode", "photos", "made"))
    assert [word for word in words if word not in said] == []
    assert not (here / "hacked").exists()
    assert not (here / "made").exists()


def test_a_file_that_is_not_there(here: Path) -> None:
    result = CliRunner().invoke(app, ["encode", "photos", "made", "--config", "absent.yaml"])
    assert "absent.yaml cannot be read: No such file" in refused(result)


@pytest.mark.parametrize("text", ["batch-size: many", "batch-size: 0", "captions: maybe", "batch-size: 7.5"])
def test_a_value_is_checked_as_on_the_command_line(here: Path, text: str) -> None:
    result = run(text, "encode", "photos", "made")
    assert result.exit_code == 2
    assert text.partition(":")[0] in result.stderr


def test_options_may_be_for_other_commands(here: Path, encoder: Path) -> None:
    """One file serves several commands: what only `search` knows does not trouble `encode`."""
    text = f"encoder: {encoder}\nmode: hybrid\nsearch: {{k: 3}}\nload:\n"
    assert run(text, "encode", "photos", "made").exit_code == 0


COMMANDS = {
    "search": {"filter": ("filters", True), "json": ("as_json", False), "k": ("k", False), "index": ("index", False)},
    "load": {"index": ("index", False)},
}


def test_names_are_those_of_the_command_line() -> None:
    table = {"search": {"filter": "a=b", "json": True}, "index": 2024}
    assert options(table, command="search", commands=COMMANDS) == {"filters": ["a=b"], "as_json": True, "index": 2024}
    assert options(table, command="load", commands=COMMANDS) == {"index": 2024}


def test_a_list_is_a_repeated_option() -> None:
    assert options({"filter": ["a=1", 2]}, command="search", commands=COMMANDS) == {"filters": ["a=1", 2]}


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "x.yaml")
