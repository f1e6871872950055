"""Manifests and tars that change: what they say of a picture is no part of it, and known bytes are not decoded."""

import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.encoding.changing_collection import Collection, aged
from support.jobs import rows, run, uris
from support.making import jpeg, photo_folder, random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.changes.survey import ChangeCounts
from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def made(tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """A collection that has no source yet."""
    found = Collection(tmp_path / "source", tmp_path / "out", encoder)
    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", found.decode)
    return found


def _manifest(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    aged(path)


@pytest.fixture
def lines(made: Collection) -> list[dict[str, Any]]:
    """The lines of a manifest of eight pictures, which is encoded."""
    folder = photo_folder(made.source.with_name("photos"), count=8)
    aged(folder)
    made.source = made.source.with_name("list.jsonl")
    found: list[dict[str, Any]] = [
        {"image": f"photos/{i:03d}.jpg", "captions": [f"a dog {i}"], "label": "x", "year": i} for i in range(8)
    ]
    _manifest(made.source, found)
    assert made.encode() == ChangeCounts(new=8)
    made.check()
    return found


def test_what_a_manifest_says_changes(made: Collection, lines: list[dict[str, Any]]) -> None:
    lines[0]["captions"] = ["a cat"]
    lines[1]["label"] = "y"
    lines[2]["year"] = 99
    lines[3]["author"] = "me"
    _manifest(made.source, lines)
    assert (made.encode(), made.decoded) == (ChangeCounts(relisted=4), 0)
    made.check()
    for line in lines:
        line["taken"] = "2024-01-01"
    _manifest(made.source, lines)
    assert (made.encode(), made.decoded) == (ChangeCounts(relisted=8), 0)
    made.check()


def test_a_manifest_is_written_again_and_says_the_same(made: Collection, lines: list[dict[str, Any]]) -> None:
    _manifest(made.source, [dict(reversed(line.items())) for line in reversed(lines)])
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    made.check()


def test_ids_of_its_own_come_change_and_go(made: Collection, lines: list[dict[str, Any]]) -> None:
    _manifest(made.source, [line | {"id": f"id-{i}"} for i, line in enumerate(lines)])
    assert (made.encode(), made.decoded) == (ChangeCounts(relisted=8), 0)
    assert {row["id"] for row in rows(made.out)} == {f"id-{i}" for i in range(8)}
    made.check()
    _manifest(made.source, [line | {"id": f"id-{max(i, 1) * 10}"} for i, line in enumerate(lines) if i])
    assert (made.encode(), made.decoded) == (ChangeCounts(relisted=7, gone=1), 0)
    made.check()
    (made.source.with_name("photos") / "001.jpg").write_bytes(jpeg(90))
    aged(made.source.with_name("photos"))
    assert (made.encode(), made.decoded) == (ChangeCounts(changed=1), 1)
    made.check()
    _manifest(made.source, lines)
    assert (made.encode(), made.decoded) == (ChangeCounts(relisted=7, moved=1), 0)
    made.check()


def test_a_broken_picture_with_an_id_of_its_own_is_mended(made: Collection, lines: list[dict[str, Any]]) -> None:
    path = made.source.with_name("photos") / "001.jpg"
    path.write_bytes(b"x" * 700)
    _manifest(made.source, [line | {"id": f"id-{i}"} for i, line in enumerate(lines)])
    assert made.encode() == ChangeCounts(relisted=7, changed=1)
    path.write_bytes(jpeg(91))
    aged(path.parent)
    assert (made.encode(), made.decoded) == (ChangeCounts(retried=1), 1)
    made.check()


def test_files_that_a_manifest_names_are_away_for_a_while(made: Collection, lines: list[dict[str, Any]]) -> None:
    before = rows(made.out)
    folder = made.source.with_name("photos")
    folder.rename(folder.with_name("away"))
    for _ in range(2):
        with pytest.raises(SourceError, match="None of the 8 items could be read; what is known of 8 of them is kept"):
            made.encode()
        assert rows(made.out) == before
    lines[0]["year"] = 50
    _manifest(made.source, lines)
    with pytest.raises(SourceError, match="is kept"):
        made.encode()
    folder.with_name("away").rename(folder)
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    made.check()


def test_captions_are_items_of_their_own(made: Collection, lines: list[dict[str, Any]]) -> None:
    texts, fresh = made.out.with_name("texts"), made.out.with_name("fresh-texts")
    run(made.source, texts, made.encoder, captions=True)
    lines[0]["captions"] = ["a dog 0", "another dog"]
    lines[1]["captions"] = ["a boat"]
    lines[2]["label"] = "z"
    _manifest(made.source, lines)
    source = open_source(made.source, captions=True)
    assert run(source, texts, made.encoder).changes == ChangeCounts(new=2, relisted=1, gone=1)
    run(source, fresh, made.encoder)
    for row, other in zip(*(sorted(rows(out), key=lambda row: row["text"]) for out in (texts, fresh)), strict=True):
        assert {n: v for n, v in row.items() if n != "vector"} == {n: v for n, v in other.items() if n != "vector"}
    assert not run(source, texts, made.encoder).new


def _tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    aged(path)


@pytest.mark.parametrize("name", ["p.tar", "p.tar.gz"])
def test_a_tar_is_written_again(made: Collection, name: str) -> None:
    members = [(f"{i:03d}.jpg", jpeg(i)) for i in range(6)] + [("004.txt", b"a dog")]
    made.source = made.source.with_name(name)
    _tar(made.source, sorted(members))
    assert made.encode() == ChangeCounts(new=6)
    made.check()
    os.utime(made.source)
    aged(made.source)
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    made.check()
    changed = [("renamed.jpg", jpeg(0)), ("001.jpg", jpeg(1)), ("002.jpg", jpeg(92)), *members[3:6], ("004.txt", b"x")]
    _tar(made.source, sorted(changed))
    assert (made.encode(), made.decoded) == (ChangeCounts(moved=1, changed=1, relisted=1), 1)
    made.check()


def _as_long(*seeds: int) -> list[bytes]:
    found = [jpeg(seed) for seed in seeds]
    return [content.ljust(max(map(len, found)), b"\0") for content in found]


def test_two_members_of_one_name(made: Collection) -> None:
    """Of one size too, so that nothing but their order tells them apart."""
    made.options = {"shard_size": 1}
    made.source = made.source.with_name("p.tar")
    one, other, third = _as_long(1, 2, 3)
    _tar(made.source, [("a.jpg", one), ("b.jpg", third), ("a.jpg", other)])
    assert made.encode() == ChangeCounts(new=3)
    assert sorted(uris(made.out)) == ["p.tar/a.jpg", "p.tar/a.jpg", "p.tar/b.jpg"]
    made.check()
    (made.out / "ledger.parquet").unlink()  # as after a kill
    assert (made.encode(), made.decoded) == (ChangeCounts(), 0)
    made.check()
    _tar(made.source, [("a.jpg", other), ("a.jpg", one), ("a.jpg", third)])
    assert (made.encode(), made.decoded) == (ChangeCounts(moved=3), 0)
    made.check()
    _tar(made.source, [("a.jpg", one)])
    made.encode()
    assert made.decoded == 0
    made.check()


def _table(path: Path, pictures: Sequence[bytes]) -> None:
    cells = [{"bytes": content, "path": f"{len(content)}.jpg"} for content in pictures]
    pq.write_table(pa.table({"image": cells, "n": list(range(len(cells)))}), path)
    aged(path)


def test_a_table_that_holds_its_pictures_gets_a_new_row(made: Collection) -> None:
    made.source = made.source.with_name("t.parquet")
    pictures = [jpeg(i) for i in range(6)]
    _table(made.source, pictures)
    assert made.encode() == ChangeCounts(new=6)
    made.check()
    _table(made.source, [*pictures, jpeg(90)])
    assert (made.encode(), made.decoded) == (ChangeCounts(new=1), 1)
    made.check()
    _table(made.source, [*pictures[:2], jpeg(91), *pictures[2:], jpeg(90)])
    counts = made.encode()
    assert (made.decoded, counts.new + counts.changed) == (1, 1)  # the rest has moved on
    made.check()
