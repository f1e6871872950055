"""The folders of the embedded engine, and the account that it runs under.

Two folders: the assembled OpenSearch, which is read only and shared by all nodes, and a node's home with its
configuration, data and logs. If LEXEL_HOME is set, both are below it.

OpenSearch refuses to run as root. Started by root, the node runs under an unprivileged account, which must be able to
enter both folders; it cannot enter /root.
"""

import fcntl
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from lexel.pipeline.errors import EngineError

Say = Callable[[str], None]  # called with one short line per step, to show progress

LOCK = "lexel.lock"  # in each folder of the engine; also marks it as one


@dataclass(frozen=True)
class Account:
    """The account that the node runs under: the current one, unless that is root."""

    name: str
    uid: int
    gid: int


def shared_folder() -> Path:
    """The folder of everything that nodes share: the assembled OpenSearch and, if needed, a copy of Java."""
    return _base(platformdirs.site_cache_path("lexel"), platformdirs.user_cache_path("lexel")) / "engine"


def node_home() -> Path:
    """The default home of a node."""
    return _base(Path("/var/lib/lexel"), platformdirs.user_data_path("lexel")) / "node"


def _base(site: Path, user: Path) -> Path:
    chosen = os.environ.get("LEXEL_HOME")
    if chosen:
        return Path(chosen).expanduser().resolve()
    return (site if os.geteuid() == 0 else user).resolve()


def account_for(home: Path) -> Account:
    """The account to run the node of `home` under: the owner of existing data, which no other account can read.

    Raises:
        EngineError: the current user is root, and there is neither an account `opensearch` nor `nobody`.
    """
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    owner = (home / "data").stat().st_uid if (home / "data").is_dir() else 0
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    owners = [name for name, entry in known.items() if owner and entry.pw_uid == owner]
    for name in (*owners, "opensearch", "nobody"):
        if name in known:
            return Account(name=name, uid=known[name].pw_uid, gid=known[name].pw_gid)
    raise EngineError(
        "OpenSearch refuses to run as root and there is no account to run it under; "
        "add one (`useradd --system opensearch`), or run this as an ordinary user."
    )


def closed_folder(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path` that `account` may not enter, or None."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            return None
        if folder.is_dir() and not _may(folder.stat(), account, read=False):
            return folder
    return None


def may_run(program: Path, account: Account) -> bool:
    """Whether `account` can reach, read and execute `program`."""
    return closed_folder(program.parent, account) is None and _may(program.stat(), account, read=True)


def _may(entry: os.stat_result, account: Account, *, read: bool) -> bool:
    wanted = stat.S_IXOTH | (stat.S_IROTH if read else 0)
    if entry.st_uid == account.uid:
        wanted <<= 6
    elif entry.st_gid == account.gid:
        wanted <<= 3
    return entry.st_mode & wanted == wanted


def make_folder(folder: Path) -> None:
    """Makes `folder` and its parents with mode 755, whatever the umask. Raises EngineError if that fails."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    except OSError as error:
        raise EngineError(
            f"The folder {folder} cannot be made ({error.strerror}); set LEXEL_HOME to a folder that you may write to."
        ) from error


def check_open(path: Path, account: Account) -> None:
    """Raises EngineError if the node's account cannot reach `path`; OpenSearch would fail with a stack trace."""
    closed = closed_folder(path, account)
    if closed is not None:
        raise EngineError(
            f"The node runs as the account {account.name}, which may not enter {closed}; "
            "set LEXEL_HOME to a folder that everyone may enter, such as /var/lib/lexel."
        )


def check_space(folder: Path, *, needed: int) -> None:
    """Raises EngineError if fewer than `needed` bytes are free on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EngineError(
            f"The disk of {folder} has {free / 1e6:.0f} MB left and {needed / 1e6:.0f} MB are needed; "
            "free some space, or set LEXEL_HOME to a folder on a larger disk."
        )


@contextmanager
def locked(folder: Path, *, say: Say) -> Iterator[None]:
    """Holds an exclusive lock on `folder`, created if it is missing; waits while another process holds it.

    It is an flock, which the kernel releases when the process ends.
    """
    file = _lock(folder, say=say)
    while not _is_in_place(file, folder / LOCK):  # its previous holder deleted the file
        file.close()
        file = _lock(folder, say=say)
    with file:
        yield


def _lock(folder: Path, *, say: Say) -> IO[str]:
    make_folder(folder)
    try:
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise EngineError(f"{folder} cannot be written ({error.strerror}); choose another folder.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"Waiting for another process that works in {folder}")
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _is_in_place(file: IO[str], path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
