"""What the tests of the embedded engine share."""

import os
import shutil
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lexel.pipeline.cli.commands.engine import app

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start the engine as another user")


def silent(_: str) -> None:
    pass


def linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def sentence(error: BaseException) -> str:
    """What an error says, which is one sentence."""
    text = str(error)
    assert "\n" not in text
    assert text.endswith((".", ")"))
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def invoke(*arguments: str | Path) -> tuple[int, str]:
    """The exit code and the output of `lexel engine`."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output
