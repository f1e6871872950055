"""Where this process spends its time, step by step: for `lexel -v`, and for whoever profiles a job.

A step's seconds are summed over all threads at it, so that several steps together exceed the time on the clock.
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
    """Count what runs inside as `step`; safe on any thread."""
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - began
        with _lock:
            _seconds[step] = _seconds.get(step, 0.0) + seconds


def timed_each(step: Step, things: Iterable[T]) -> Iterator[T]:
    """The same things, the time that it takes to get each counted as `step`."""
    rest = iter(things)
    while True:
        with timed(step):
            thing = next(rest, _END)
        if thing is _END:
            return
        yield thing  # type: ignore[misc]


def spent() -> dict[Step, float]:
    """Seconds by step since the process began."""
    with _lock:
        return dict(_seconds)
