"""Tests whose whole is a part of the soak, run as the programs they are."""

import re
import subprocess
import sys
from collections.abc import Iterator

from support.checkout import ROOT

from soak.ground import Tried


def tests(what: str, *words: str) -> Iterator[Tried]:
    """One line for what passed and failed, and one for what could not be asked."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *words]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = answer.stdout.strip().rpartition("\n")[2]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", last)}
    lost = counts.get("failed", 0) + counts.get("error", 0) + (answer.returncode not in {0, 1, 5})
    if passed := counts.get("passed", 0) + lost:
        yield Tried(what, passed, lost, " ".join(words) if lost else "")
    if skipped := counts.get("skipped", 0):
        why = re.search(r"SKIPPED \[\d+\] [^:]+:\d+: (.+)", answer.stdout)
        yield Tried(what, skipped, 0, why[1] if why else "", asked=False)
