"""Progress of long jobs: the interface that they call, and one that shows nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a job."""

    def plan(self, *, total: int, done: int) -> None:
        """Called first: the number of items, and of those finished by earlier runs."""

    def advance(self, *, encoded: int, failed: int) -> None:
        """Called after each batch, with its numbers of encoded and failed items."""


class _Quiet:
    def plan(self, *, total: int, done: int) -> None:
        """Ignore it."""

    def advance(self, *, encoded: int, failed: int) -> None:
        """Ignore it."""


QUIET: Progress = _Quiet()

# For jobs of several steps: a function from a step's name to a context manager with its Progress.
Watch = Callable[[str], AbstractContextManager[Progress]]


@contextmanager
def unwatched(_: str) -> Iterator[Progress]:
    """The Watch that shows nothing."""
    yield QUIET
