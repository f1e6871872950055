"""Starting, stopping and removing the embedded OpenSearch node.

    node = start()      # assembles OpenSearch on the first call; node.url answers when it returns
    running()           # the node if it answers, else None
    stop()              # keeps the data for the next start()
    clean()             # deletes the data

A node is identified by its home, the folder of its data; `home=None` is the default one, used by the command line. Any
number of nodes share one assembled OpenSearch.
"""

import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from lexel.pipeline.engine import process
from lexel.pipeline.engine.distribution import distribution, ensure_files
from lexel.pipeline.engine.folders import (
    LOCK,
    Account,
    Say,
    account_for,
    check_open,
    check_space,
    locked,
    node_home,
    shared_folder,
)
from lexel.pipeline.engine.java import ensure_java
from lexel.pipeline.engine.node import (
    FILES,
    FOLDERS,
    Node,
    asked,
    check_home,
    forget,
    prepare,
    read_state,
    write_state,
)
from lexel.pipeline.errors import EngineError

__all__ = ["Node", "Removed", "Status", "clean", "running", "start", "status", "stop"]

PATIENCE = 300.0  # seconds to wait for the first answer; on a busy small machine it came after more than one minute


@dataclass(frozen=True)
class Status:
    """The state of the engine on this machine; sizes in bytes."""

    home: Path
    node: Node | None
    pid: int | None
    data_size: int
    files: Path
    files_size: int


@dataclass(frozen=True)
class Removed:
    """Something that `clean` deleted; the size is in bytes."""

    what: str
    size: int


def _silent(_: str) -> None:
    pass


def running(home: Path | None = None) -> Node | None:
    """The node of `home` if it answers, else None. One request to localhost; loads neither Java nor Maven."""
    home = _chosen(home)
    known = read_state(home)
    return asked(home, known.url, known.pid) if known else None


def start(*, port: int = 0, home: Path | None = None, heap: str = "1g", say: Say = _silent) -> Node:
    """Starts the node of `home` and returns it when it answers; if it runs already, returns that.

    Args:
        port: the port on 127.0.0.1; 0 is the first free one from 19200 on.
        home: the folder of the node's data, created if it is missing.
        heap: Java's heap size, such as `512m` or `1g`.
        say: called with one short line per step, to show progress.

    Raises:
        EngineError: the node cannot be started.
    """
    home = _chosen(home)
    _check_options(port=port, heap=heap)
    try:
        check_home(home)
        with locked(home, say=say):
            node = running(home) or _start(home, port=port, heap=heap, say=say)
    except PermissionError as error:
        where = error.filename or home
        raise EngineError(f"{where} is closed to this account; choose another folder for the node.") from error
    return node


def _chosen(home: Path | None) -> Path:
    return node_home() if home is None else home.expanduser().resolve()


def _check_options(*, port: int, heap: str) -> None:
    if port != 0 and not 1024 <= port <= 65535:
        raise EngineError(f"Port {port} cannot be used; choose one from 1024 to 65535, or 0 for a free one.")
    if not re.fullmatch(r"[1-9]\d*[mMgG]", heap):
        raise EngineError(f"The heap '{heap}' is invalid; write a number and m or g, such as 512m or 1g.")


def _start(home: Path, *, port: int, heap: str, say: Say) -> Node:
    forget(home)
    pid = process.find(process.uses_home(home))  # one may run already, if its starter was killed while waiting
    try:
        if pid is None:
            pid = _spawn(home, account_for(home), port=port, heap=heap, say=say)
        say("Waiting until OpenSearch answers")
        node = process.wait_until_up(home, pid, seconds=PATIENCE)
    except KeyboardInterrupt:
        process.end(home)
        raise
    except EngineError as error:
        if port and "Address already in use" in str(error):
            raise _taken(port) from error
        raise
    write_state(node)
    return node


def _spawn(home: Path, account: Account, *, port: int, heap: str, say: Say) -> int:
    if port:
        _check_port(port)
    check_open(home, account)
    check_space(home, needed=100_000_000)
    shared = shared_folder()
    say("Looking for OpenSearch's files")
    java = ensure_java(shared, account, say=say)
    files = ensure_files(shared, say=say)
    check_open(files, account)
    prepare(home, account, port=port)
    say("Starting OpenSearch")
    return process.spawn(home, account, files=files, java=java, heap=heap)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as OpenSearch: ignore TIME_WAIT
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port) from error


def _taken(port: int) -> EngineError:
    return EngineError(
        f"Port {port} is taken by another program; choose another port, or none to have a free one chosen."
    )


def stop(node: Node | Path | None = None) -> bool:
    """Stops a node, given as Node or home, and returns whether one was running. Its data is kept."""
    home = node.home if isinstance(node, Node) else _chosen(node)
    stopped = process.end(home)
    forget(home)
    return stopped


def status(home: Path | None = None) -> Status:
    """The node if it answers, the pid of its process if there is one, and the files on disk."""
    home, files = _chosen(home), distribution(shared_folder())
    return Status(
        home=home,
        node=running(home),
        pid=process.find(process.uses_home(home)),
        data_size=_size(home / "data"),
        files=files,
        files_size=_size(files),
    )


def clean(home: Path | None = None, *, files: bool = False) -> list[Removed]:
    """Stops the node and deletes its data, its logs and its configuration.

    Args:
        home: the node's home.
        files: also delete the assembled OpenSearch, which all nodes share.

    Raises:
        EngineError: another node uses the assembled files; `home` has been cleaned nevertheless.
    """
    home = _chosen(home)
    removed: list[Removed] = []
    stop(home)
    if (home / LOCK).exists():
        with locked(home, say=_silent):
            removed.append(_remove("the node's data", [home / "data"]))
            removed.append(_remove("the node's logs and settings", [home / name for name in (*FOLDERS, *FILES)]))
            _unlock(home)
    return [one for one in removed + (_clean_files() if files else []) if one.size]


def _clean_files() -> list[Removed]:
    shared = shared_folder()
    if not (shared / LOCK).exists():
        return []
    with locked(shared, say=_silent):
        pid = process.find(process.uses_files(distribution(shared)))
        if pid is not None:
            raise EngineError(f"Another node (process {pid}) runs on the files in {shared}; stop it first.")
        found = [path for pattern in ("opensearch-*", "java-*", "maven") for path in shared.glob(pattern)]
        removed = _remove("OpenSearch's files", found)
        _unlock(shared)
    return [removed]


def _remove(what: str, paths: list[Path]) -> Removed:
    size = sum(map(_size, paths))
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return Removed(what=what, size=size)


def _unlock(folder: Path) -> None:
    """Removes the lock file, and the folder if it is empty then."""
    (folder / LOCK).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(entry.lstat().st_size for entry in path.rglob("*") if entry.is_file())
