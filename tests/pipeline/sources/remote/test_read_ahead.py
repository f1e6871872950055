"""Fetching ahead keeps the order, holds a bounded number of pictures, and raises where a picture is read."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.remote import file_systems
from lexel.pipeline.sources.remote.read_ahead import _WINDOW, read_ahead
from lexel.pipeline.sources.remote.remote_path import RemoteBytes


def remote(count: int) -> list[Item]:
    return [Item(f"{i}", RemoteBytes(f"s3://b/{i}")) for i in range(count)]


def test_order_and_content(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(url: str) -> bytes:
        if url.endswith("/7"):
            raise OSError("seven")
        return url.encode()

    monkeypatch.setattr(file_systems, "read", read)
    items = [item for pair in zip(remote(200), [Item(f"here-{i}") for i in range(200)], strict=True) for item in pair]

    def take(item: Item) -> bytes:
        try:
            return item.content()
        except OSError as error:
            return str(error).encode()

    with read_ahead() as ahead, ThreadPoolExecutor(3) as pool:
        waiting = [(item.uri, pool.submit(take, item)) for item in ahead(items)]
        assert [uri for uri, _ in waiting] == [item.uri for item in items]
        wanted = [f"s3://b/{i}".encode() if i != 7 else b"seven" for i in range(200)]
        assert [future.result() for _, future in waiting[::2]] == wanted


def test_no_more_than_the_window_is_fetched_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = list[str]()
    monkeypatch.setattr(file_systems, "read", lambda url: fetched.append(url) or b"x")
    with read_ahead() as ahead:
        given = list[Item]()
        feeder = threading.Thread(target=lambda: given.extend(ahead(remote(_WINDOW + 40))))
        feeder.start()
        until = time.monotonic() + 10
        while len(fetched) < _WINDOW and time.monotonic() < until:
            time.sleep(0.01)
        feeder.join(0.2)
        assert len(fetched) == _WINDOW
        assert feeder.is_alive()  # waits until one is taken
        taken = 0
        while feeder.is_alive() or taken < len(given):
            if taken < len(given):
                given[taken].content()
                taken += 1
    assert len(fetched) == taken == _WINDOW + 40
