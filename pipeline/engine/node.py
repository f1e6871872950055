"""One node of the embedded engine: its home, its configuration, and whether it answers.

A home has the folders `config`, `data`, `logs` and `tmp`, which belong to the node's account, and two files that do
not: `console.log`, and `node.json` with the running node's URL and pid, written once it answers.
"""

import hashlib
import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path

from lexel.pipeline.engine.folders import LOCK, Account, make_folder
from lexel.pipeline.errors import EngineError

FOLDERS = ("config", "data", "logs", "tmp")
FILES = ("console.log", "node.json")
FIRST_PORTS = "19200-19299"  # OpenSearch binds the first free one itself, which avoids a race

_LOG4J = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:opensearch.logs.base_path}/node.log
appender.file.filePattern = ${sys:opensearch.logs.base_path}/node-%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%c{1}] %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True)
class Node:
    """A node that has answered a request."""

    url: str
    pid: int
    home: Path
    version: str


def name_of(home: Path) -> str:
    """The node's name, unique for its home, which identifies the node that answers on a port."""
    return f"lexel-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


def check_home(home: Path) -> None:
    """Raises EngineError for a folder with foreign files, which `lexel engine clean` would delete later."""
    if home.exists() and not (home.is_dir() and ((home / LOCK).exists() or not any(home.iterdir()))):
        raise EngineError(f"{home} holds other files than a node's; name a new or an empty folder for the node.")


def prepare(home: Path, account: Account, *, port: int) -> None:
    """Makes the home's folders, gives them to `account`, and writes the configuration."""
    for name in FOLDERS:
        folder = home / name
        if not folder.is_dir():
            make_folder(folder)
            folder.chmod(0o700)
            os.chown(folder, account.uid, account.gid)
    logs = home / "logs"
    (logs / "http.ports").unlink(missing_ok=True)
    if (logs / "node.log").exists():  # a new log per start, so that old errors are not reported again
        (logs / "node.log").replace(logs / "node-before.log")
    settings = {
        "cluster.name": "lexel",
        "node.name": name_of(home),
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port or FIRST_PORTS,
        "transport.port": 0,
        "node.attr.lexel": "embedded",  # read by `is_embedded`: this node lacks k-NN's native libraries
        "node.portsfile": True,
        "path.data": str(home / "data"),
        "path.logs": str(home / "logs"),
        "cluster.routing.allocation.disk.threshold_enabled": False,  # else indices are read only on a full disk
    }
    _write(home / "config" / "opensearch.yml", "".join(f"{key}: {json.dumps(settings[key])}\n" for key in settings))
    _write(home / "config" / "log4j2.properties", _LOG4J)


def _write(path: Path, text: str) -> None:
    # Unlinked first, so that root does not write through a link placed by the node's account.
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)


def asked(home: Path, url: str, pid: int) -> Node | None:
    """The node that answers at `url`; None if nothing answers or it is not the node of `home`."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)  # urllib would use a proxy
    try:
        connection.request("GET", "/")
        answer = json.load(connection.getresponse())
        if answer["name"] == name_of(home):
            return Node(url=url, pid=pid, home=home, version=answer["version"]["number"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        pass
    finally:
        connection.close()
    return None


def published(home: Path) -> str | None:
    """The URL of the node from the ports file that it writes when it listens; None before that."""
    try:
        return f"http://{(home / 'logs' / 'http.ports').read_text(encoding='utf-8').split()[0]}"
    except (OSError, IndexError):
        return None


def write_state(node: Node) -> None:
    """Writes `node.json`, by which other processes find the node."""
    facts = {"url": node.url, "pid": node.pid, "version": node.version}
    part = node.home / "node.json.part"
    _write(part, json.dumps(facts) + "\n")
    part.rename(node.home / "node.json")


def read_state(home: Path) -> Node | None:
    """The node in `node.json`, which may have ended since; None if there is none."""
    try:
        facts = json.loads((home / "node.json").read_text(encoding="utf-8"))
        return Node(url=facts["url"], pid=int(facts["pid"]), home=home, version=facts["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(home: Path) -> None:
    """Removes `node.json`."""
    (home / "node.json").unlink(missing_ok=True)
