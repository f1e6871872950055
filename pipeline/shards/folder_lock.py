"""One job at a time in a folder: another waits until it has ended, or was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from lexel.pipeline.shards.ledger_file import ledger_name
from lexel.pipeline.shards.part import Part


@contextmanager
def locked_folder(folder: Path, part: Part) -> Iterator[None]:
    """Hold the lock of a part's ledger, which the operating system lets go of when the process ends."""
    lock = FileLock(folder / f".{ledger_name(part)}.lock")
    try:
        lock.acquire()
    except (NotImplementedError, OSError):  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        lock.release()
