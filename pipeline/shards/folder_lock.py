"""One job at a time in a folder: another waits until it has ended, or was killed. Parts run at once, each alone."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lexel.pipeline.shards.ledger_file import ledger_name
from lexel.pipeline.shards.part import WHOLE, Part


@contextmanager
def locked_folder(folder: Path, part: Part) -> Iterator[None]:
    """Hold a folder for a whole job, or for a part of one beside other parts.

    The operating system lets go of it when the process ends. File systems without locks, and folders in which no file
    may be written, are held by nobody.
    """
    with _locked(folder, WHOLE, shared=not part.whole):
        if part.whole:
            yield
        else:
            with _locked(folder, part, shared=False):
                yield


@contextmanager
def _locked(folder: Path, part: Part, *, shared: bool) -> Iterator[None]:
    try:
        handle = os.open(folder / f".{ledger_name(part)}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which unlocks it
