"""Files and folders written whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lexel.pipeline.errors import WriteError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file so that it is either the old one or the new one, even after a crash."""
    with replacing_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """A temporary file to write. When it is whole it takes the place of `path`; if it never becomes so, it is gone."""
    # Not the process id, which two machines can share, and two containers nearly always do.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(
            f"{path} cannot be written ({reason}); put that right and give the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # on a full disk, half of a file would only be in the way
    _sync(path.parent)  # the rename itself must survive a power cut


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """A new folder to write; it takes the place of `out`, with all that was in it, when it is whole."""
    out = out.resolve()
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for left in (new, old):  # by a killed run
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
