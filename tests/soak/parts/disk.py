"""Full disks, for shards and for the node: one sentence, and the same command goes on when there is space."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from soak.asked import ROOT, tests
from soak.ground import Ground, Tried


def soak(ground: Ground) -> Iterator[Tried]:
    yield from tests("a full disk for shards", "tests/pipeline/encode/test_encode_killed.py", "-k", "full_disk")
    yield from tests("an index at the flood stage", "tests/pipeline/load/test_retry_under_faults.py", "-k", "full_disk")
    yield _node()


def _node() -> Tried:
    what = "a full disk for the node, in the middle of a load"
    if os.geteuid() != 0:
        return Tried(what, 0, 0, "only root may mount a small disk that the node's account sees", asked=False)
    with tempfile.TemporaryDirectory(prefix="lexel-soak-disk-") as folder:
        disk, other = Path(folder) / "disk", Path(folder) / "other"
        for place in (disk.parent, disk, other):
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        script = 'mount -t tmpfs -o size=200m,mode=755 none "$1" || exit 9; exec "$0" -m soak.small_disk "$1" "$2"'
        answer = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, sys.executable, str(disk), str(other)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode == 9:
        return Tried(what, 0, 0, "no small disk could be mounted here", asked=False)
    said = "SAID OpenSearch's disk is full; free some space" in answer.stdout
    good = answer.returncode == 0 and said and "THEN 12000 documents" in answer.stdout
    return Tried(what, 1, int(not good), (answer.stdout or answer.stderr).strip()[-300:].replace("\n", "; "))
