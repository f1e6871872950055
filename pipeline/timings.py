"""Measures the time that the process spends in each step, for `lexel -v` and for profiling.

Seconds are summed over threads, so that their total can exceed the elapsed time.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

T = TypeVar("T")
Step = Literal["reading", "decoding", "network", "writing", "cluster"]

_END = object()
_lock = threading.Lock()
_seconds: dict[Step, float] = {}


@contextmanager
def timed(step: Step) -> Iterator[None]:
    """A context manager that adds its duration to `step`; thread-safe."""
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - began
        with _lock:
            _seconds[step] = _seconds.get(step, 0.0) + seconds


def timed_each(step: Step, things: Iterable[T]) -> Iterator[T]:
    """Iterate over `things`, adding the time that each takes to arrive to `step`."""
    rest = iter(things)
    while True:
        with timed(step):
            thing = next(rest, _END)
        if thing is _END:
            return
        yield thing  # type: ignore[misc]


def spent() -> dict[Step, float]:
    """The seconds of each step since the process started."""
    with _lock:
        return dict(_seconds)
