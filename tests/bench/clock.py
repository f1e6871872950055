"""Time on the wall, and on all the cores that a piece of work keeps busy."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass
class Spent:
    """How many items some work did, in how many seconds on the wall and on the cores of this process and its own."""

    items: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.wall


@contextmanager
def spending(items: int) -> Iterator[Spent]:
    """Measure what is done inside for `items`."""
    spent, wall, cpu = Spent(items), time.monotonic(), cpu_seconds()
    yield spent
    spent.wall, spent.cpu = time.monotonic() - wall, cpu_seconds() - cpu


def repeated(work: Callable[[], int], *, seconds: float) -> Spent:
    """Do `work`, which returns how many items it did, again and again for about so long."""
    with spending(0) as spent:
        end = time.monotonic() + seconds
        while not spent.items or time.monotonic() < end:
            spent.items += work()
    return spent


def in_turn(works: dict[str, Callable[[], Spent]], *, rounds: int) -> dict[str, list[Spent]]:
    """Each of `works` once a round, so that whatever else the machine does falls on all of them alike."""
    found: dict[str, list[Spent]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return found


def rate(spent: list[Spent]) -> float:
    """The median of the rounds' rates."""
    return median(one.rate for one in spent)


def core_seconds(spent: list[Spent]) -> float:
    """Seconds of one core that an item takes, the least of the rounds: other work can only add to it."""
    return max(1e-6, min(one.cpu / one.items for one in spent))  # the clock of cores ticks in hundredths


def cpu_seconds() -> float:
    """Seconds that this process and its children, living and ended, have computed for; of the living on Linux alone."""
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(map(_computed, children(os.getpid())))


def children(pid: int) -> list[int]:
    """The processes that a process has begun; on Linux alone."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # ended meanwhile
        return []
    return [int(child) for text in lists for child in text.split()]


def _computed(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
