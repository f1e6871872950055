"""Patterns that say which pictures are taken."""

from pathlib import Path

import pytest
from support.listing import written

from lexel.pipeline.sources.selection import Selection
from lexel.pipeline.sources.source import open_source

URIS = ["a.jpg", "b.png", "new/a.jpg", "new/raw/c.jpg", "old/raw/d.png"]


@pytest.mark.parametrize(
    ("include", "exclude", "taken"),
    [
        ((), (), "01234"),
        (("*.png",), (), "14"),
        ((), ("raw",), "012"),
        ((), ("new/raw/",), "0124"),
        (("new", "old/*"), (), "234"),
        (("*.jpg",), ("new",), "0"),
        ((), ("**/a.jpg",), "134"),
        (("[ab].*",), (), "012"),
        (("A.JPG",), (), ""),
    ],
)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], taken: str) -> None:
    chosen = Selection(include, exclude)
    assert "".join(str(i) for i, uri in enumerate(URIS) if chosen.takes(uri)) == taken


def test_a_source_lists_what_is_taken(tmp_path: Path) -> None:
    for uri in URIS:
        (tmp_path / uri).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / uri, b"x")
    written(tmp_path / "m.csv", "image,caption\na.jpg,x\nnew/a.jpg,y\n")
    chosen = Selection(exclude=("new",))
    assert [i.uri for i in open_source(tmp_path, selection=chosen).items()] == ["a.jpg", "b.png", "old/raw/d.png"]
    texts = open_source(tmp_path / "m.csv", captions=True, selection=chosen)
    assert [i.text for i in texts.items()] == ["x"]
