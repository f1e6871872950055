"""What is not ours: dependencies with known holes, the node's files by their hashes, pickles, archives."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from soak.asked import ROOT, tests
from soak.ground import Ground, Tried


def soak(ground: Ground) -> Iterator[Tried]:
    yield from tests("no pickle is read, no archive's member escapes", "tests/test_untrusted.py")
    yield from tests(
        "a file of the node that was changed is refused", "tests/test_engine.py", "-k", "damaged or checked or stranger"
    )
    yield _dependencies()


def _dependencies() -> Tried:
    """`pip-audit` over what is installed, in an environment of its own; its service may not be within reach."""
    what = "installed packages against known holes (pip-audit)"
    place = ROOT / ".venv"
    tool = shutil.which("pip-audit", path=str(place / "bin")) or shutil.which("pip-audit")
    if tool is None:
        return Tried(what, 0, 0, "pip-audit is not installed: `pip install pip-audit` in some environment", asked=False)
    command = [tool, "--path", *_paths(), "--progress-spinner", "off", "--timeout", "10", "--skip-editable"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return Tried(what, 0, 0, "its service could not be asked: no answer in 5 minutes", asked=False)
    found = re.search(r"Found (\d+) known vulnerabilit", answer.stdout + answer.stderr)
    if found:
        return Tried(what, 1, int(found[1]), answer.stdout[-300:])
    if "No known vulnerabilities found" in answer.stdout + answer.stderr:
        return Tried(what, 1, 0, "none known")
    last = (answer.stderr or answer.stdout).strip().rpartition("\n")[2]
    return Tried(what, 0, 0, f"its service could not be asked: {last[:150]}", asked=False)


def _paths() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")][:1]
