"""Commands in processes of their own, forked from one that has torch loaded: that saves seconds each time."""

import os
import signal
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from support.making import run_lexel

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["support.making", "lexel.pipeline.cli.main", "lexel.pipeline.encode.run", "lexel.pipeline.load.run"]
)


def begin(words: Sequence[str], said: Path, url: str = "") -> BaseProcess:
    """Start `lexel` with these words; what it says goes to the file `said`."""
    process = _CONTEXT.Process(target=_run, args=(words, said, url))
    process.start()
    return process


def _run(words: Sequence[str], said: Path, url: str) -> None:
    if url:
        os.environ["OPENSEARCH_URL"] = url
    run_lexel(words, said)


def end(process: BaseProcess, after: float, how: signal.Signals = signal.SIGKILL) -> bool:
    """End the process after some seconds; False where it had ended by itself before."""
    process.join(after)
    if process.exitcode is not None:
        return False
    assert process.pid is not None
    os.kill(process.pid, how)
    process.join(60)
    return process.exitcode is not None


def whole(process: BaseProcess, said: Path) -> None:
    """Wait until it ends well. Raises AssertionError with its own words where it does not."""
    process.join(300)
    assert process.exitcode == 0, said.read_text()
