"""Atomic writes: files and folders are replaced whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lexel.pipeline.errors import WriteError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file so that even after a crash there is either the old one or the new one.

    Raises WriteError if it cannot be written.
    """
    with replacing_file(path) as temporary:
        temporary.write_bytes(content)


def put_first(temporary: Path, path: Path) -> None:
    """For `replacing_file`: leave what another process has put at `path` meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        os.replace(temporary, path)


@contextmanager
def replacing_file(path: Path, *, put: Callable[[Path, Path], None] = os.replace) -> Iterator[Path]:
    """A temporary file to write, which replaces `path` (by `put`) when the block ends and is removed if it raises.

    Raises WriteError if it cannot be written.
    """
    # Not the process id: processes on two machines, or in two containers, often have the same.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _sync(temporary)
        put(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(
            f"{path} cannot be written ({reason}); put that right and give the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # frees the space if the disk is full
    _sync(path.parent)  # the rename itself must survive a power cut


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """A new folder to write, which replaces `out` and all its content when the block ends, and is removed if it raises.

    The content of `out` is not copied.
    """
    out = out.resolve()
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for left in (new, old):  # left over by a killed run
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
        if out.exists():
            out.replace(old)
        new.replace(out)
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
