"""Addresses as places: names, folders, what a table calls a picture, and logins that nobody sees."""

import pytest

from lexel.pipeline.sources.remote.remote_path import RemotePath, is_address

BASE = RemotePath("https://host/data/set one/captions.csv?token=1#x")


def test_names_and_folders() -> None:
    assert (BASE.name, BASE.suffix) == ("captions.csv", ".csv")
    assert BASE.parent == RemotePath("https://host/data/set one")
    assert BASE.parent.parent.parent.parent == RemotePath("https://host")
    assert RemotePath("s3://bucket/a/b/").parent == RemotePath("s3://bucket/a")
    assert RemotePath("https://host/a%20b.tar.gz").name == "a b.tar.gz"
    assert RemotePath("http://127.0.0.1:80/").name == RemotePath("http://h").name == ""
    assert RemotePath("memory://a b#c?.jpg").name == "a b#c?.jpg"


@pytest.mark.parametrize(
    ("uri", "there"),
    [
        ("a.jpg", "https://host/data/set one/a.jpg"),
        ("./in/../a b#?%.jpg", "https://host/data/set one/a%20b%23%3F%25.jpg"),
        ("../../../../é.jpg", "https://host/%C3%A9.jpg"),
        ("/root/a.jpg", "https://host/root/a.jpg"),
    ],
)
def test_what_a_table_calls_a_picture(uri: str, there: str) -> None:
    assert BASE.parent.named(uri).url == there


def test_a_store_keeps_names_as_they_are() -> None:
    folder = RemotePath("s3://bucket/set")
    assert folder.named("a b%20#.jpg").url == "s3://bucket/set/a b%20#.jpg"
    assert folder.named("/other/a.jpg").url == "s3://bucket/other/a.jpg"
    assert (folder / "in" / "a b.jpg").below(folder) == "in/a b.jpg"
    assert (RemotePath("https://h/x") / "a b.jpg").below(RemotePath("https://h/x")) == "a b.jpg"


def test_a_login_is_not_printed() -> None:
    assert str(RemotePath("https://me:secret@host:8080/a/m.csv?sig=secret")) == "https://host:8080/a/m.csv"
    assert str(RemotePath("s3://bucket/a@b/m.csv")) == "s3://bucket/a@b/m.csv"


@pytest.mark.parametrize("text", ["https://h/a", "s3://b/k", "gs://b", "memory://a"])
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg",
        "/a/b",
        "file:///a",
        "FILE://a",
        "local:///a",
        "simplecache::s3://b",
        "a b://c",
        "://x",
        "C:\\a",
        "dir/x://y",
    ],
)
def test_no_addresses(text: str) -> None:
    assert not is_address(text)
