"""How long jobs tell what they are doing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """What a job calls as it goes."""

    def plan(self, *, total: int, done: int) -> None:
        """How many items there are, and how many were finished by earlier runs."""

    def advance(self, *, encoded: int, failed: int) -> None:
        """A batch is finished."""


class _Quiet:
    def plan(self, *, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, *, encoded: int, failed: int) -> None:
        """Say nothing."""


QUIET: Progress = _Quiet()

# For jobs of several steps: given a step's name, what shows how far it is.
Watch = Callable[[str], AbstractContextManager[Progress]]


@contextmanager
def unwatched(_: str) -> Iterator[Progress]:
    """Watch a step without showing anything."""
    yield QUIET
