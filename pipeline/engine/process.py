"""The process of the embedded engine's node: starting it, finding it again, ending it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lexel.pipeline.engine.folders import Account
from lexel.pipeline.engine.java import VECTORS, Java
from lexel.pipeline.engine.node import Node, asked, published
from lexel.pipeline.errors import EngineError

MAIN = "org.opensearch.bootstrap.OpenSearch"

# Child processes to reap: a dead child keeps its pid until its parent polls it.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(home: Path, account: Account, *, files: Path, java: Java, heap: str) -> int:
    """Starts the node's process and returns its pid; its output goes to `console.log`."""
    classes = ["-cp", f"{files}/lib/*", MAIN]
    command = [str(java.program), *_options(home, java, heap=heap), uses_files(files), uses_home(home), *classes]
    # A minimal environment: no JAVA_TOOL_OPTIONS, and no secrets of the caller for the node's account
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    root = os.geteuid() == 0
    with (home / "console.log").open("wb") as console:
        child = subprocess.Popen(
            command,
            env=kept | {"HOME": str(home)},
            cwd=home,
            umask=0o077,
            user=account.uid if root else None,
            group=account.gid if root else None,
            extra_groups=[] if root else None,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal must not end it
        )
    _children[child.pid] = child
    return child.pid


def _options(home: Path, java: Java, *, heap: str) -> list[str]:
    return [
        *([f"--add-modules={VECTORS}"] if VECTORS in java.modules else []),
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-XX:+UseG1GC",
        f"-XX:ErrorFile={home}/logs/java-error-%p.log",
        f"-Djava.io.tmpdir={home}/tmp",
        f"-Djna.tmpdir={home}/tmp",
        "-Djna.nosys=true",
        "-Djava.awt.headless=true",
        "-Djava.locale.providers=CLDR,SPI",  # SPI: Thai word breaks from icu4j, see write_file_list.py
        "-Dfile.encoding=UTF-8",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--enable-native-access=ALL-UNNAMED",
        "-Dopensearch.distribution.type=tar",
        "-Dopensearch.bundled_jdk=false",
    ]


def uses_home(home: Path) -> str:
    """The command-line argument that identifies the process of the node of `home`."""
    return f"-Dopensearch.path.conf={home}/config"


def uses_files(files: Path) -> str:
    """The command-line argument that identifies processes of the OpenSearch assembled in `files`."""
    return f"-Dopensearch.path.home={files}"


def find(argument: str) -> int | None:
    """The pid of the engine process with this command-line argument; stored pids may have been reused."""
    for child in list(_children.values()):
        child.poll()
    for pid, line in _processes():
        if f" {argument} " in line and line.rstrip().endswith(MAIN):
            return pid
    return None


def _processes() -> Iterator[tuple[int, str]]:
    if not Path("/proc/self/cmdline").exists():  # macOS
        listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            yield int(pid), command
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                yield int(folder.name), (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:  # it has just ended
                continue


def wait_until_up(home: Path, pid: int, *, seconds: float) -> Node:
    """Waits until the node answers.

    Raises:
        EngineError: it ended, or did not answer in time and was ended; the message has its last log line.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        url = published(home)
        node = asked(home, url, pid) if url else None
        if node is not None:
            return node
        if not _runs(home, pid):
            raise EngineError(f"OpenSearch ended before it answered; {last_words(home)}")
        time.sleep(0.1)
    end(home)
    raise EngineError(f"OpenSearch did not answer within {seconds:.0f} seconds and was ended; {last_words(home)}")


def _runs(home: Path, pid: int) -> bool:
    child = _children.get(pid)
    if child is not None:  # not by `find`: right after its start it has no command line yet
        return child.poll() is None
    return find(uses_home(home)) == pid


def end(home: Path) -> bool:
    """Ends the node's process, by SIGTERM and after 30 seconds by SIGKILL. Returns False if there is none."""
    pid = find(uses_home(home))
    if pid is None:
        return False
    for order, seconds in ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0)):
        _signal(pid, order)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _runs(home, pid):
                _children.pop(pid, None)
                return True
            time.sleep(0.05)
    raise EngineError(f"The node's process {pid} does not end, not even when forced; look at the machine's own log.")


def _signal(pid: int, order: signal.Signals) -> None:
    try:
        os.kill(pid, order)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise EngineError(
            f"The node's process {pid} is another account's; stop it as the one who started it."
        ) from error


def last_words(home: Path) -> str:
    """The last error in the logs, else their last line, and where to read more."""
    lines: list[str] = []
    for file in (home / "logs" / "node.log", home / "console.log"):
        if file.is_file():
            lines += file.read_text(encoding="utf-8", errors="replace").splitlines()[-400:]
    telling = [line for line in lines if re.search(r"(Exception|Error)\b.*: |^Error|Could not|\]\[(ERROR|FATAL)", line)]
    others = [line for line in lines if line.strip() and not line.startswith("WARNING: ")]  # Java's, at every start
    said = (telling or others or ["nothing"])[-1].strip()
    return f"it said last: {said[:300]} (more in {home}/logs/node.log and {home}/console.log)"
