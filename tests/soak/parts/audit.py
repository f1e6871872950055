"""What is not ours: dependencies with known holes, the node's files by their hashes, pickles, archives."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak.asked import tests
from soak.ground import Ground, Tried


def soak(ground: Ground) -> Iterator[Tried]:
    yield from tests("no pickle is read, no archive's member escapes", "tests/repository/test_untrusted.py")
    yield from tests(
        "a file of the node that was changed is refused",
        "tests/pipeline/engine/test_engine.py",
        "-k",
        "damaged or checked or stranger",
    )
    yield _dependencies()


def _dependencies() -> Tried:
    """`pip-audit` over what is installed; where its service cannot be asked it finds nothing, which is no good news."""
    what = "installed packages against known holes (pip-audit)"
    tool = shutil.which("pip-audit", path=str(Path(sys.executable).parent)) or shutil.which("pip-audit")
    if tool is None:
        return Tried(
            what, 0, 0, "pip-audit is not installed; put it on the PATH, from an environment of its own", False
        )
    command = [tool, "--path", *_paths(), "--progress-spinner", "off", "--skip-editable", "--format", "json"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        packages = json.loads(answer.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return Tried(what, 0, 0, f"its service could not be asked ({type(error).__name__})", asked=False)
    asked = [package for package in packages if "skip_reason" not in package]
    bad = [f"{package['name']}: {package['vulns'][0]['id']}" for package in asked if package.get("vulns")]
    if not asked:
        return Tried(
            what, 0, 0, f"its service knew none of {len(packages)} packages: it is not within reach", asked=False
        )
    return Tried(what, len(asked), len(bad), ", ".join(bad) or f"{len(packages) - len(asked)} could not be asked about")


def _paths() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")][:1]
