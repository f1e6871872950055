"""Reading by fsspec: each read has a limit of time, and is tried again where that can help."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.sources.item import MAX_BYTES, FileState, NoPictureError, check_size
from lexel.pipeline.sources.remote.http_answer import RefusedError, RetryLaterError, http_bytes, http_download

T = TypeVar("T")
_TRIES = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_SECONDS = 60.0
# What stores say of a file by which a change is seen.
_TAGS, _TIMES = ("ETag", "etag", "md5Hash"), ("mtime", "LastModified", "last_modified", "updated", "created")
_HTTP = frozenset({"http", "https"})
# Trying again changes nothing about these.
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ValueError, TypeError, ImportError)
_opening = threading.Lock()


@dataclass(frozen=True)
class RemoteEntry:
    """A file or folder in a remote folder, and the file's state, with 0 for what is not said."""

    name: str
    is_folder: bool
    state: FileState


def seconds() -> float:
    """How long a read may take: LEXEL_REMOTE_SECONDS, or a minute. Raises ConfigError where that is no number."""
    text = os.environ.get("LEXEL_REMOTE_SECONDS", "") or str(_SECONDS)
    try:
        if (limit := float(text)) > 0:
            return limit
    except ValueError:
        pass
    raise ConfigError(f"LEXEL_REMOTE_SECONDS is {text!r}: give a number of seconds above 0.")


def read(url: str, start: int = 0, end: int = MAX_BYTES + 1) -> bytes:
    """The bytes from `start` to `end` of a file, or to its end. Raises OSError, also for more than MAX_BYTES."""

    def once(limit: float) -> bytes:
        system, path = _system(url)
        if _is_http(url):
            part = (start, end) if (start, end) != (0, MAX_BYTES + 1) else None
            return bytes(_within(limit, system, http_bytes, system, url, part))
        if system.async_impl:
            return bytes(_within(limit, system, system._cat_file, path, start=start, end=end))
        return bytes(system.cat_file(path, start=start, end=end))

    content = _tried(once)
    check_size(len(content))
    return content


def size_of(url: str) -> int:
    """The size of a file in bytes. Raises OSError where it is not there, or its size is not said."""
    size = _asked(url, "info").get("size")
    if size is None:
        raise RefusedError("the server does not say how large it is; download it first")
    return int(size)


def is_folder(url: str) -> bool:
    """Whether there is a folder, which a web server has not. Raises OSError where that cannot be found out."""
    return not _is_http(url) and bool(_asked(url, "isdir"))


def entries(url: str) -> Sequence[RemoteEntry]:
    """What is in a folder, sorted. Raises OSError."""
    _, own = _system(url)
    found = {}
    for about in _asked(url, "ls", detail=True):
        name = str(about["name"]).rstrip("/")
        # Stores without folders have an object that stands for one, of the folder's own name.
        if name.strip("/") != own.strip("/"):
            base = name.rpartition("/")[2]
            found[base] = RemoteEntry(base, about.get("type") == "directory", _state(about))
    return [found[name] for name in sorted(found)]


def changed(url: str) -> int:
    """By which a change of a file is seen: a time in nanoseconds, or 0 where the server says none. Raises OSError."""
    return 0 if _is_http(url) else _state(_asked(url, "info")).changed


def _state(about: Mapping[str, Any]) -> FileState:
    """The size of a file, and when it was changed, or a hash of what its store tells its versions apart by."""
    size = int(about.get("size") or 0)
    times = [about[name] for name in _TIMES if about.get(name) is not None]
    if tag := next((str(about[name]) for name in _TAGS if about.get(name)), None):
        return FileState(size, int.from_bytes(blake2b(tag.encode(), digest_size=6).digest(), "little"))
    if not times:
        return FileState(size, 0)
    moment = times[0].timestamp() if isinstance(times[0], datetime) else times[0]
    return FileState(size, int(moment * 1e9) if isinstance(moment, int | float) else 0)


def download(url: str, target: Path) -> None:
    """Copy a file of any size to `target`. Raises OSError."""

    def once(limit: float) -> None:
        system, path = _system(url)
        if _is_http(url):
            _within(None, system, http_download, system, url, target, limit)
        else:
            system.get_file(path, str(target))

    _tried(once)


def _asked(url: str, name: str, **options: Any) -> Any:
    """The answer to a question that has an asynchronous form of the same name with a line before it."""

    def once(limit: float) -> Any:
        system, path = _system(url)
        if system.async_impl:
            return _within(limit, system, getattr(system, f"_{name}"), path, **options)
        return getattr(system, name)(path, **options)

    return _tried(once)


def _tried(once: Callable[[float], T]) -> T:
    """Do it until it works or the time is over; what no second try can help ends at once. Raises OSError."""
    limit = seconds()
    end = time.monotonic() + limit
    for attempt in range(1, _TRIES + 1):
        try:
            return once(max(0.01, end - time.monotonic()))
        except (ConfigError, NoPictureError, RefusedError, *_FINAL):
            raise
        except Exception as error:  # of a dozen kinds: of the client libraries, of sockets, of TLS
            pause = min(_pause(error, attempt), _LONGEST_PAUSE)
            if attempt == _TRIES or time.monotonic() + pause >= end:
                raise _as_os_error(error, limit) from error
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _pause(error: Exception, attempt: int) -> float:
    asked = error.seconds if isinstance(error, RetryLaterError) else None
    return _FIRST_PAUSE * 2 ** (attempt - 1) if asked is None else asked


def _as_os_error(error: Exception, limit: float) -> OSError:
    if isinstance(error, TimeoutError):
        return TimeoutError(f"not read within {limit:g} seconds (LEXEL_REMOTE_SECONDS)")
    said = " ".join((str(error) or type(error).__name__).split())[:200]
    return error if isinstance(error, RetryLaterError) else OSError(said)


def _within(limit: float | None, system: Any, work: Callable[..., Any], *words: Any, **options: Any) -> Any:
    """Run a coroutine on the loop that all of fsspec shares. Raises TimeoutError after `limit` seconds."""
    from fsspec.asyn import sync

    return sync(system.loop, work, *words, timeout=limit, **options)


def _is_http(url: str) -> bool:
    return urlsplit(url).scheme.lower() in _HTTP


def _system(url: str) -> tuple[Any, str]:
    """The file system of an address, and what it calls the file."""
    address = urlsplit(url)
    scheme = address.scheme.lower()
    with _opening:  # or each thread makes its own
        system = _opened("https://" if scheme in _HTTP else f"{scheme}://{address.netloc}", scheme)
    return system, system._strip_protocol(url)


# A web of many hosts is one file system; a bucket, or a host of FTP, is one each.
@lru_cache(maxsize=64)
def _opened(url: str, scheme: str) -> Any:
    try:
        import fsspec
        from fsspec.asyn import sync

        web = {"client_kwargs": {"trust_env": True, "headers": {"User-Agent": f"lexel/{version('lexel')}"}}}
        own = web if scheme in _HTTP else {}
        system, _ = fsspec.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **own)
        if scheme in _HTTP:
            sync(system.loop, system.set_session)  # once, before threads ask for it
    except ImportError as error:
        raise ConfigError(_advice(scheme, error)) from error
    except ValueError as error:
        raise ConfigError(f"{scheme} addresses are not read: {str(error).rstrip('.')}.") from error
    return system


def _advice(scheme: str, error: ImportError) -> str:
    if scheme in _HTTP or isinstance(error, ModuleNotFoundError):
        return f"{scheme} addresses are read with `pip install 'lexel[remote]'`."
    return f"{scheme} addresses need one more package: {str(error).rstrip('.')} (`pip install`, beside lexel[remote])."


os.register_at_fork(after_in_child=_opened.cache_clear)
