"""Follows a source: says when to look at it again."""

import time
from collections.abc import Iterator
from pathlib import Path

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.sources.remote.remote_path import Place

# Changes come in bursts, such as a card being copied: a round begins when nothing has changed for so long.
_QUIET_MS = 2_000
# And even if it goes on and on.
_LONGEST_MS = 30_000


def rounds(place: Place, *, every: float | None = None) -> Iterator[None]:
    """Yield at once, and then whenever something below `place` has changed, or `every` so many seconds.

    The system tells of changes on disks of its own only: shares and remote sources need `every`. Ends with Ctrl-C.
    Raises ConfigError where an address has none.
    """
    if every is None and not isinstance(place, Path):
        raise ConfigError(f"{place} tells of no changes; give --every with a number of seconds.")
    yield
    if every is not None:
        while True:
            time.sleep(every)
            yield
    from watchfiles import watch

    for _ in watch(str(place), debounce=_LONGEST_MS, step=_QUIET_MS, raise_interrupt=True):
        yield
