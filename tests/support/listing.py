"""Listing a source in a test."""

from pathlib import Path

import pytest

from lexel.pipeline.errors import SourceError
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import open_source


def listed(path: Path, *, captions: bool = False) -> list[Item]:
    return list(open_source(path, captions=captions).items())


def size(item: Item) -> int | None:
    """How many bytes the source says that an item has."""
    state = item.state()
    return state.size if state else None


def uris(path: Path) -> list[str]:
    return [item.uri for item in listed(path)]


def refused(path: Path) -> str:
    """The one sentence with which a source is refused."""
    with pytest.raises(SourceError) as caught:
        listed(path)
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert ".." not in said.replace("../", "")
    return said


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
