"""What `lexel sources` says of a source."""

import json
from pathlib import Path

from support.commands import lexel
from support.listing import written
from support.making import jpeg

from lexel.pipeline.sources.source import open_source
from lexel.pipeline.sources.source_overview import SourceColumn, overview

ROWS = [
    {"image": "a.jpg", "caption": "one [bold]", "n": 1, "size": 1, "mixed": 1, "good": True},
    {"image": "a.jpg", "caption": "two"},
    {"image": "gone.jpg", "caption": "three", "n": 2.5, "size": 2, "mixed": "x"},
    {"image": "c.jpg", "label": "lake", "id": "C"},
    {"image": "d.jpg"},
]


def manifest(folder: Path) -> Path:
    written(folder / "a.jpg", jpeg())
    return written(folder / "m.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))


def test_items_columns_and_the_first_three(tmp_path: Path) -> None:
    found = overview(open_source(manifest(tmp_path)))
    assert (found.kind, found.items, found.captions) == ("a JSONL table", 4, 3)
    assert set(found.columns) == {
        SourceColumn("captions", "texts", 2, "one [bold]"),
        SourceColumn("label", "text", 1, "lake"),
        SourceColumn("id", "text", 1, "C"),
        SourceColumn("meta.n", "number", 2, "1"),
        SourceColumn("meta.size", "whole number", 2, "1"),
        SourceColumn("meta.mixed", "text", 2, "1"),
        SourceColumn("meta.good", "yes or no", 1, "True"),
    }
    assert [item.uri for item in found.first] == ["a.jpg", "gone.jpg", "c.jpg"]
    assert [item.captions for item in found.first] == [("one [bold]", "two"), ("three",), ()]
    assert (found.first[0].size, found.first[0].failure) == (len(jpeg()), None)
    assert (found.first[1].size, found.first[1].failure) == (None, "No such file or directory")


def test_the_command_prints_it(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    said = lexel("sources", str(path)).stdout
    assert said.startswith("A JSONL table: 4 items, 3 captions\n")
    for part in ("meta.n ", "one [bold]", "gone.jpg  cannot be read: No such file or directory", "label: lake"):
        assert part in said
    table = json.loads(lexel("sources", str(path), "--captions", "--json").stdout)
    assert (table["items"], table["first"][2]["text"]) == (3, "three")


def test_the_command_says_what_is_left_out_and_takes_a_selection(tmp_path: Path) -> None:
    for name in ("in/dog/a.jpg", "in/dog/b.png", "in/film.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / name, jpeg())
    said = lexel("sources", str(tmp_path), "--exclude", "*.png", "--labels-from-folders").stdout
    assert said.startswith("A folder: 1 item\n")
    assert "label: dog" in said
    assert "Skipped: 1 .mp4" in said


def test_an_empty_source_is_said_to_be_empty(tmp_path: Path) -> None:
    answer = lexel("sources", str(tmp_path))
    assert (answer.returncode, answer.stdout) == (0, "A folder: 0 items\n")
