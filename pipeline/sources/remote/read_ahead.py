"""Pictures that are elsewhere, fetched by threads of their own before the decoder asks for them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import BoundedSemaphore

from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.remote.remote_path import RemoteBytes

# Fetching is waiting: more threads than cores. What is fetched and not yet decoded is all that is held in memory.
_THREADS, _WINDOW = 16, 48


@contextmanager
def read_ahead() -> Iterator[Callable[[Iterable[Item]], Iterator[Item]]]:
    """A function that passes items on in their order while those that are elsewhere are being fetched.

    At most _WINDOW pictures are on their way or waiting: each item that it gives has to be read, in any thread, or the
    next is not given. What an item's picture raises is raised when it is read.
    """
    pool, free = ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch"), BoundedSemaphore(_WINDOW)

    def ahead(items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            if isinstance(item.content, RemoteBytes):
                free.acquire()
                yield replace(item, content=partial(_taken, pool.submit(item.content), free))
            else:
                yield item

    try:
        yield ahead
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _taken(future: Future[bytes], free: BoundedSemaphore) -> bytes:
    try:
        return future.result()
    finally:
        free.release()
