"""What img2dataset writes, in its three formats: each picture once, and what it did not fetch is counted."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.listing import listed, written

from lexel.pipeline.sources.source import open_source

STATUSES = ("success", "failed_to_download", "success", "failed_to_resize")


def rows(part: int) -> list[dict[str, Any]]:
    return [
        {
            "url": f"https://example.org/{part}/{i}.jpg",
            "caption": f"picture {part} {i}" if i != 2 else None,
            "key": f"{part:05d}{i:04d}",
            "status": status,
            "error_message": None if status == "success" else "HTTP Error 404",
            "width": 256 if status == "success" else None,
            "height": 256,
            "exif": "{}",
            "sha256": f"{i}f",
        }
        for i, status in enumerate(STATUSES)
    ]


def made(folder: Path, kind: str) -> Path:
    for part in (0, 1):
        name = f"{part:05d}"
        table = rows(part)
        good = [row for row in table if row["status"] == "success"]
        files = {
            f"{row['key']}{ending}": content.encode()
            for row in good
            for ending, content in ((".jpg", row["key"]), (".txt", row["caption"] or ""), (".json", json.dumps(row)))
        }
        if kind == "webdataset":
            with tarfile.open(folder / f"{name}.tar", "w") as tar:
                for own, content in files.items():
                    member = tarfile.TarInfo(own)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        elif kind == "files":
            (folder / name).mkdir()
            for own, content in files.items():
                written(folder / name / own, content)
        else:
            table = [row | {"jpg": row["key"].encode() if row in good else None} for row in table]
        pq.write_table(pa.Table.from_pylist(table), folder / f"{name}.parquet")
        written(folder / f"{name}_stats.json", json.dumps({"count": 4, "successes": 2}))
    return folder


PLACES = {"webdataset": "{}.tar/", "files": "{}/", "parquet": "{}.parquet/"}


@pytest.mark.parametrize("kind", PLACES)
def test_each_picture_is_there_once_with_what_is_known_of_it(tmp_path: Path, kind: str) -> None:
    source = open_source(made(tmp_path, kind))
    assert source.kind == "img2dataset's output"
    found = list(source.items())
    assert [(i.uri, i.captions, i.label, dict(i.metadata), i.content()) for i in found] == [
        (
            f"{PLACES[kind].format(row['key'][:5])}{row['key']}.jpg",
            (row["caption"],) if row["caption"] else (),
            None,
            {"url": row["url"], "sha256": row["sha256"]},
            row["key"].encode(),
        )
        for part in (0, 1)
        for row in rows(part)
        if row["status"] == "success"
    ]
    assert list(source.notes.sentences()) == [
        "Skipped: 2 that img2dataset did not fetch (failed to download), "
        "2 that img2dataset did not fetch (failed to resize)"
    ]
    assert found == list(source.items())


def test_broken_parts_fail_alone_and_other_files_are_said(tmp_path: Path) -> None:
    made(tmp_path, "webdataset")
    for name in ("00000.tar", "00001.parquet"):
        written(tmp_path / name, (tmp_path / name).read_bytes()[:1000])
    written(tmp_path / "list.csv", "")
    (tmp_path / "_tmp").mkdir()
    source = open_source(tmp_path)
    found = list(source.items())
    assert [item.uri for item in found if "jpg" not in item.uri] == ["00000.tar", "00001.parquet"]
    assert [item.uri for item in found if "00001.tar" in item.uri] == [f"00001.tar/00001000{i}.jpg" for i in (0, 2)]
    said = next(source.notes.sentences())
    assert said.endswith("1 .csv, 1 folder _tmp")


def test_a_part_that_is_not_finished_is_read_as_far_as_it_is_there(tmp_path: Path) -> None:
    made(tmp_path, "files")
    for name in ("00001.parquet", "00001_stats.json"):
        (tmp_path / name).unlink()
    assert len(listed(tmp_path)) == 4
