"""Captions of one picture on rows apart, and one id on two pictures."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.listing import listed, refused, written


def _table(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if path.suffix == ".jsonl":
        return written(path, "".join(json.dumps(row) + "\n" for row in rows))
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return written(path, "\n".join(lines))


KINDS = pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])


@KINDS
def test_captions_gather_where_their_picture_is_first(tmp_path: Path, name: str) -> None:
    order = ["x", "y", "x", "z", "z", "y", "x"]
    rows: list[dict[str, object]] = [{"file": f"{p}.png", "caption": f"{p} {k}", "n": k} for k, p in enumerate(order)]
    path = _table(tmp_path / name, rows)
    found = [(item.uri, item.captions, int(item.metadata["n"])) for item in listed(path)]
    assert found == [
        ("x.png", ("x 0", "x 2", "x 6"), 0),
        ("y.png", ("y 1", "y 5"), 1),
        ("z.png", ("z 3", "z 4"), 3),
    ]
    assert listed(path) == listed(path)


@KINDS
def test_one_id_on_two_pictures_is_refused_by_both_rows(tmp_path: Path, name: str) -> None:
    ids = ["p", "p", "q", "r", "q"]
    files = ["a.jpg", "a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    said = refused(_table(tmp_path / name, [{"id": i, "path": f} for i, f in zip(ids, files, strict=True)]))
    assert [word for word in (name, "rows 3 and 5", "b.jpg", "d.jpg", "'q'") if word not in said] == []


def test_ids_of_captions_do_not_matter(tmp_path: Path) -> None:
    """As in COCO, a row is a caption and has its id; a picture has that of its first row."""
    rows: list[dict[str, object]] = [{"id": i, "image": f"{i % 3}.jpg", "caption": f"c{i}"} for i in range(9)]
    assert [(item.id, len(item.captions)) for item in listed(_table(tmp_path / "m.csv", rows))] == [
        ("0", 3),
        ("1", 3),
        ("2", 3),
    ]
    rows[4]["id"] = 0
    assert len(listed(_table(tmp_path / "m.csv", rows))) == 3


def test_a_table_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"image": "a.jpg", "caption": "1"}, {"image": "b.jpg", "caption": "2"}]
    assert len(listed(_table(tmp_path / "m.jsonl", rows))) == 2
    rows += rows
    assert len(listed(_table(tmp_path / "m.jsonl", rows))) == 2
