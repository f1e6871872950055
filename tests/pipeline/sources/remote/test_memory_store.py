"""Folders, tables and tars in a store of fsspec's: the same items as of a folder here, and the same failures."""

import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from support.listing import written
from support.making import jpeg

from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.source import open_source


@pytest.fixture
def store() -> Iterator[str]:
    """The address of an empty folder."""
    system = fsspec.filesystem("memory")
    system.makedirs("/set")
    yield "memory://set"
    system.rm("/set", recursive=True)


def put(store: str, folder: Path) -> None:
    fsspec.filesystem("memory").put(f"{folder}/", "/set/", recursive=True)
    assert store == "memory://set"


def fields(item: Item) -> tuple[object, ...]:
    return item.uri, item.captions, item.label, dict(item.metadata), (item.state() or (0,))[0]


def pictures(folder: Path) -> None:
    for name in ("b.jpg", "a b#?.png", "in/c.jpg", "in/deep/d.jpg", "@eaDir/e.jpg", ".hidden.jpg", "film.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        written(folder / name, jpeg(len(name)))
    written(folder / "b.txt", "a caption")
    written(folder / "in" / "c.json", '{"caption": "two", "stars": 4}')
    written(folder / "in" / "deep" / "d.json", "{broken")
    with tarfile.open(folder / "t.tar", "w") as tar:
        member = tarfile.TarInfo("x/1.jpg")
        member.size = len(jpeg())
        tar.addfile(member, io.BytesIO(jpeg()))
    written(folder / "broken.tar", b"no tar at all" * 100)


def test_a_folder_has_the_same_items_as_one_here(store: str, tmp_path: Path) -> None:
    pictures(tmp_path)
    put(store, tmp_path)
    there, here = open_source(store), open_source(tmp_path)
    found, wanted = list(there.items()), list(here.items())
    assert [fields(item) for item in found] == [fields(item) for item in wanted]
    assert list(there.notes.sentences()) == list(here.notes.sentences())
    for item, same in zip(found, wanted, strict=True):
        if item.uri == "broken.tar":
            with pytest.raises(OSError, match="broken or not a tar"):
                item.content()
        else:
            assert item.content() == same.content()
    assert (str(there.root), there.name) == (store, "")


def test_folders_are_labels(store: str, tmp_path: Path) -> None:
    for name in ("cat/1.jpg", "dog/1.jpg"):
        (tmp_path / name).parent.mkdir()
        written(tmp_path / name, b"x")
    put(store, tmp_path)
    assert [item.label for item in open_source(store).items()] == ["cat", "dog"]


def test_a_table_names_pictures_beside_it(store: str, tmp_path: Path) -> None:
    written(tmp_path / "a.jpg", b"a")
    written(tmp_path / "m.csv", "image\na.jpg\nmemory://set/a.jpg\nmemory://set/gone.jpg\n")
    put(store, tmp_path)
    first, second, gone = open_source(f"{store}/m.csv").items()
    assert first.content() == second.content() == b"a"
    with pytest.raises(FileNotFoundError):
        gone.content()


def test_what_is_not_there_is_said(store: str) -> None:
    with pytest.raises(SourceError, match=r"^There is nothing at memory://set/m\.csv"):
        open_source(f"{store}/m.csv")
    with pytest.raises(SourceError, match=r"m\.tar"):
        list(open_source(f"{store}/m.tar").items())


def test_a_folder_that_cannot_be_listed(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    for name in ("a.jpg", "locked/b.jpg", "z.jpg"):
        written(tmp_path / name, b"x")
    put(store, tmp_path)
    whole = file_systems.entries

    def entries(url: str) -> object:
        if url.endswith(("locked", *closed)):
            raise PermissionError("denied")
        return whole(url)

    closed: tuple[str, ...] = ()
    monkeypatch.setattr(file_systems, "entries", entries)
    assert [item.uri for item in open_source(store).items()] == ["a.jpg", "locked", "z.jpg"]
    closed = ("set",)
    with pytest.raises(SourceError, match=r"^The folder memory://set cannot be read: denied\.$"):
        list(open_source(store).items())


def test_without_the_extra_the_command_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    file_systems._opened.cache_clear()
    with pytest.raises(ConfigError, match=r"^s3 addresses are read with `pip install 'lexel\[remote\]'`\.$"):
        open_source("s3://bucket/folder")


def test_a_store_that_needs_another_package_names_it() -> None:
    with pytest.raises(ConfigError, match=r"^oss addresses need one more package: Install ossfs"):
        open_source("oss://bucket/folder")
