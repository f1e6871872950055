"""Tables as programs write them: delimiters, quotes, capitals and encodings."""

from pathlib import Path

import pytest
from support.listing import listed, refused, written


def _pairs(path: Path, text: str | bytes) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.uri, item.captions) for item in listed(written(path, text))]


@pytest.mark.parametrize("delimiter", [";", "|", "\t", ","])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
def test_the_delimiter_is_the_one_that_makes_columns_of_the_header(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [["Path", "n", "Description"], ["a.jpg", "1", "one, two"], ["b.jpg", "2", "three"]]
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    text = "\n".join(delimiter.join(row) for row in quoted)
    assert _pairs(tmp_path / name, text) == [("a.jpg", ("one, two",)), ("b.jpg", ("three",))]


def test_what_excel_says_of_its_delimiter(tmp_path: Path) -> None:
    assert _pairs(tmp_path / "m.csv", "sep=;\r\nimage;caption\r\na.jpg;x, y\r\n") == [("a.jpg", ("x, y",))]


def test_a_quote_in_a_tsv_is_a_letter_unless_its_cell_goes_on(tmp_path: Path) -> None:
    text = (
        "filename\tcaption\tyear\n"
        'a.jpg\t"Stop" sign\t1\n'
        'b.jpg\t"no end\t2\n'
        'c.jpg\tan 8" disk\t3\n'
        'd.jpg\t"two\nlines, ""quoted"""\t4\n'
        'e.jpg\t"last\t5'
    )
    assert [(i.uri, i.captions, i.metadata["year"]) for i in listed(written(tmp_path / "m.tsv", text))] == [
        ("a.jpg", ("Stop sign",), "1"),
        ("b.jpg", ('"no end',), "2"),
        ("c.jpg", ('an 8" disk',), "3"),
        ("d.jpg", ('two\nlines, "quoted"',), "4"),
        ("e.jpg", ('"last',), "5"),
    ]


def test_a_csv_whose_quote_never_closes_is_refused(tmp_path: Path) -> None:
    said = refused(written(tmp_path / "m.csv", 'image,caption\na.jpg,x\nb.jpg,"y\nc.jpg,z\n'))
    assert "m.csv" in said
    assert "line 3 is never closed" in said


def test_commas_that_nobody_quoted_are_a_captions(tmp_path: Path) -> None:
    text = "image,caption\na.jpg,red, green and blue\nb.jpg,two,,\n"
    assert _pairs(tmp_path / "m.csv", text) == [("a.jpg", ("red, green and blue",)), ("b.jpg", ("two",))]


def test_capitals_in_a_header(tmp_path: Path) -> None:
    text = "ID,File Name,CAPTION,Label,Split,Camera\n7,a.jpg,x,cat,val,M6\n"
    (item,) = listed(written(tmp_path / "m.csv", text))
    assert (item.id, item.uri, item.captions, item.label) == ("7", "a.jpg", ("x",), "cat")
    assert dict(item.metadata) == {"split": "val", "Camera": "M6"}


def test_columns_that_are_there_in_small_letters_stay_what_they_were(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.csv", "image,caption,ID,Label\na.jpg,x,7,cat\n"))
    assert (item.id, item.label, dict(item.metadata)) == (None, None, {"ID": "7", "Label": "cat"})


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    (item,) = listed(written(tmp_path / "m.csv", ",image,n\n0,a.jpg,5\n"))
    assert dict(item.metadata) == {"n": "5"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    ("name", "text"),
    [("m.csv", "image;caption\nå.jpg;straße\n"), ("m.jsonl", '{"image": "å.jpg", "caption": "straße"}\n')],
)
def test_other_encodings_of_unicode(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    assert _pairs(tmp_path / name, text.encode(encoding)) == [("å.jpg", ("straße",))]
