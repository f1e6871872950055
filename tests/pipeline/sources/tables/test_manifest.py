"""Manifests: their columns and types, what is wrong with them in one sentence, and that they are read lazily."""

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.listing import listed, refused, written

from lexel.pipeline.sources.source import open_source


def test_rows_of_one_picture_are_one_item(tmp_path: Path) -> None:
    """The form of Flickr8k's captions.txt."""
    (tmp_path / "Images").mkdir()
    (tmp_path / "Images" / "1.jpg").write_bytes(b"one")
    text = 'image,caption\nImages/1.jpg,A dog .\nImages/1.jpg,"Two, dogs"\nImages/1.jpg,A dog .\nImages/2.jpg,A cat .\n'
    found = listed(written(tmp_path / "captions.csv", text))
    assert [(item.uri, item.captions) for item in found] == [
        ("Images/1.jpg", ("A dog .", "Two, dogs")),
        ("Images/2.jpg", ("A cat .",)),
    ]
    assert found[0].content() == b"one"
    with pytest.raises(OSError, match="No such file"):
        found[1].content()


def test_csv_columns_become_what_they_are(tmp_path: Path) -> None:
    text = (
        "\ufeffid,path , caption,label,place,empty\r\n"
        '7,a.jpg,"[""a dog"", ""it\'s snow"", """"]",pets,"Århus\nDenmark",\r\n'
        "8,b.jpg,[not json],,,\r\n"
        "9,c.jpg\r\n"
    )
    one, two, three = listed(written(tmp_path / "m.csv", text))
    assert (one.id, one.uri, one.label, dict(one.metadata)) == ("7", "a.jpg", "pets", {"place": "Århus\nDenmark"})
    assert one.captions == ("a dog", "it's snow")
    assert (two.captions, two.label, dict(two.metadata)) == (("[not json]",), None, {})
    assert (three.uri, three.captions) == ("c.jpg", ())


def test_tsv(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.tsv", "filename\tcaption\na, b.jpg\tone, two\n"))
    assert (item.uri, item.captions) == ("a, b.jpg", ("one, two",))


def test_a_caption_longer_than_csv_likes(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.csv", f"image,caption\na.jpg,{'word ' * 60_000}\n"))
    assert len(item.captions[0]) == 299_999


def test_jsonl_types(tmp_path: Path) -> None:
    row = {
        "image": "a.jpg", "captions": ["one", None, " ", "two "], "label": 0, "n": 3, "x": 0.5, "ok": True, "no": None,
        "nested": {"b": [1, "é"]}, "list": ["p", "q"], "big": 2**70, "s": "",
    }  # fmt: skip
    (item,) = listed(written(tmp_path / "m.jsonl", f"\ufeff{json.dumps(row)}\n\n"))
    assert item.captions == ("one", "two")
    assert item.label == "0"
    assert dict(item.metadata) == {
        "n": 3, "x": 0.5, "ok": True, "nested": '{"b": [1, "é"]}', "list": ("p", "q"), "big": 2.0**70,
    }  # fmt: skip
    assert orjson.dumps(dict(item.metadata))


def test_parquet_types(tmp_path: Path) -> None:
    day, moment = date(2021, 5, 1), datetime(2021, 5, 1, 10, 30)
    columns: dict[str, list[Any]] = {
        "uri": ["a.jpg", "b.jpg"],
        "captions": [["x", "y"], None],
        "label": ["cat", None],
        "nan": [float("nan"), float("inf")],
        "price": [Decimal("1.50"), None],
        "day": [day, None],
        "at": [moment, None],
        "blob": [b"\xff", None],
        "n": [2**63 - 1, None],
    }
    pq.write_table(pa.table(columns), tmp_path / "m.parquet")
    one, two = listed(tmp_path / "m.parquet")
    assert (one.captions, one.label) == (("x", "y"), "cat")
    assert dict(one.metadata) == {"price": 1.5, "day": "2021-05-01", "at": "2021-05-01T10:30:00", "n": 2**63 - 1}
    assert (two.captions, two.label, dict(two.metadata)) == ((), None, {})


def test_no_number_is_a_caption(tmp_path: Path) -> None:
    """An empty cell of a data frame comes out of Parquet as a NaN."""
    table = pa.table({"uri": ["a.jpg"], "caption": [float("nan")], "label": [float("nan")], "id": [float("nan")]})
    pq.write_table(table, tmp_path / "m.parquet")
    (item,) = listed(tmp_path / "m.parquet")
    assert (item.captions, item.label, item.id) == ((), None, None)


BROKEN: Mapping[str, tuple[str, str | bytes, list[str]]] = {
    "no column": ("m.csv", "picture;caption\na.jpg;x\n", ["m.csv", "row 1", "uri, image", "picture;caption"]),
    "an empty cell": ("m.csv", "image,caption\na.jpg,x\n,y\n", ["row 2", "'image' is empty"]),
    "no uri": ("m.jsonl", '{"image": "a"}\n{"caption": "b"}\n', ["row 2", "found caption"]),
    "pixels": ("m.jsonl", '{"image": {"bytes": "x"}}\n', ["row 1", "'image' should be a path", "dict"]),
    "not JSON": ("m.jsonl", '{"image": "a.jpg"}\n\n{"image": \n', ["m.jsonl", "line 3 is not JSON"]),
    "a list": ("m.jsonl", "[1]\n", ["line 1 is not an object"]),
    "no number": ("m.jsonl", '{"image": "a.jpg", "x": NaNa}\n', ["line 1 is not JSON"]),
    "half a letter": ("m.jsonl", '{"image": "\\ud800.jpg"}\n', ["line 1 is not JSON"]),
    "Latin-1": ("m.csv", b"image\ncaf\xe9.jpg\n", ["m.csv cannot be read as csv", "utf-8", "save it as UTF-8"]),
    "not Parquet": ("m.parquet", "image\n", ["m.parquet cannot be read as parquet"]),
    "no Parquet at all": ("m.parquet", "", ["m.parquet cannot be read as parquet"]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_manifest_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    name, text, words = BROKEN[kind]
    said = refused(written(tmp_path / name, text))
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
def test_an_empty_manifest_has_no_items(tmp_path: Path, name: str) -> None:
    assert listed(written(tmp_path / name, "")) == []


def test_what_a_manifest_names_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    rows = ["file://server/a.jpg", "../up.jpg", "nul\\u0000.jpg", "~nobody-of-this-name/a.jpg"]
    written(tmp_path / "up.jpg", b"up")
    (tmp_path / "in").mkdir()
    text = "".join(f'{{"image": "{row}"}}\n' for row in rows)
    web, up, nul, home = listed(written(tmp_path / "in" / "m.jsonl", text))
    with pytest.raises(OSError, match="file addresses are not files of this machine"):
        web.content()
    assert up.content() == b"up"
    for item in (nul, home):
        with pytest.raises((ValueError, RuntimeError)):
            item.content()


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_a_manifest_is_read_as_it_is_used(tmp_path: Path, name: str) -> None:
    """Of 200,000 rows, the first item needs the first few: what comes later is broken, and nobody notices."""
    path = tmp_path / name
    pictures = [f"{i}.jpg" for i in range(200_000)]
    match path.suffix:
        case ".csv":
            written(path, b"image\n" + "\n".join(pictures).encode() + b"\n\xff\xfe\n")
            read: Callable[[], object] = path.read_text
        case ".jsonl":
            written(path, "".join(f'{{"image": "{picture}"}}\n' for picture in pictures) + "{\n")
            read = partial(orjson.loads, path.read_bytes().splitlines()[-1])
        case _:
            table = pa.table({"image": pictures})
            pq.write_table(table, path, row_group_size=10_000, use_dictionary=False, compression="none")
            content = path.read_bytes()
            middle = content.index(b"150000.jpg")
            written(path, content[: middle - 60_000] + b"\xff" * 120_000 + content[middle + 60_000 :])
            read = partial(pq.read_table, path)
    with pytest.raises((ValueError, OSError)):
        read()
    found = open_source(path).items()
    assert [item.uri for item in itertools.islice(found, 3)] == pictures[:3]


def test_a_missing_number_is_no_caption_and_no_label(tmp_path: Path) -> None:
    table = "image,caption,label\na.jpg,NaN,nan\nb.jpg,Nan bakes bread,Nana\n"
    found = listed(written(tmp_path / "m.csv", table))
    assert [(item.captions, item.label) for item in found] == [((), None), (("Nan bakes bread",), "Nana")]
