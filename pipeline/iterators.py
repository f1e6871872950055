"""Work that runs ahead on threads while the network is busy with what came before."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(pool: ThreadPoolExecutor, work: Callable[[T], R], things: Iterable[T], *, depth: int) -> Iterator[R]:
    """Map over `things` in order with at most `depth` results in memory."""
    waiting: deque[Future[R]] = deque()
    for thing in things:
        waiting.append(pool.submit(work, thing))
        if len(waiting) >= depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Cut `things` into tuples of `size`, the last one shorter, lazily."""
    rest = iter(things)
    while piece := tuple(islice(rest, size)):
        yield piece
