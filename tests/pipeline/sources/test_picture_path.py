"""Files that a table names in another spelling than the disk's."""

import unicodedata
from pathlib import Path

import pytest
from support.listing import written

from lexel.pipeline.sources.picture_path import picture_path


@pytest.mark.parametrize(("on_disk", "named"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_in_either_form(tmp_path: Path, on_disk: str, named: str) -> None:
    name = unicodedata.normalize(on_disk, "Año é/ñandú.png")
    (tmp_path / name).parent.mkdir()
    written(tmp_path / name, b"x")
    found = picture_path(tmp_path, unicodedata.normalize(named, name))
    assert found.read_bytes() == b"x"
    mixed = unicodedata.normalize(on_disk, "Año é") + "/" + unicodedata.normalize(named, "ñandú.png")
    assert picture_path(tmp_path, mixed).read_bytes() == b"x"


def test_what_is_nowhere_keeps_its_name(tmp_path: Path) -> None:
    assert picture_path(tmp_path, "é/x.jpg") == tmp_path / "é/x.jpg"


def test_addresses(tmp_path: Path) -> None:
    path = written(tmp_path / "a b%.jpg", b"x")
    assert picture_path(Path("/"), path.as_uri()) == path
    assert picture_path(Path("/"), f"file://localhost{path.as_uri().removeprefix('file://')}") == path
    for far in ("https://example.org/a.jpg", "s3://bucket/a.jpg", "file://server/a.jpg"):
        with pytest.raises(OSError, match="addresses are not files of this machine"):
            picture_path(tmp_path, far)


def test_a_path_written_on_windows(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in" / "a.jpg", b"x")
    assert picture_path(tmp_path, r"in\a.jpg") == path
    odd = written(tmp_path / r"in\b.jpg", b"y")
    assert picture_path(tmp_path, r"in\b.jpg") == odd
