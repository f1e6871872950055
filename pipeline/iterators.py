"""Prefetching on threads, and batches of an iterable."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(pool: ThreadPoolExecutor, work: Callable[[T], R], things: Iterable[T], *, depth: int) -> Iterator[R]:
    """Map `work` over `things` on the threads of `pool`, in order, with at most `depth` results in memory."""
    waiting: deque[Future[R]] = deque()
    for thing in things:
        waiting.append(pool.submit(work, thing))
        if len(waiting) >= depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Tuples of `size` things each, the last one shorter, lazily (`itertools.batched` of Python 3.12)."""
    rest = iter(things)
    while piece := tuple(islice(rest, size)):
        yield piece
