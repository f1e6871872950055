"""`lexel serve` as a process: what it prints, whom it lets in, and that it keeps quiet of what is asked."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from support.drawn import Drawn

SERVE = [sys.executable, "-c", "from lexel.pipeline.cli.main import main; main()", "serve", "--index", "drawn-images"]


@contextmanager
def server(*options: str, **environment: str) -> Iterator[tuple[str, str, list[str]]]:
    """Its port, the line that it printed, and at the end all that it said."""
    process = subprocess.Popen(
        [*SERVE, "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment,
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        line = process.stderr.readline()
        found = re.search(r":(\d+)/", line)
        assert found, line
        yield found[1], line.strip(), said
    finally:
        process.send_signal(signal.SIGTERM)
        said += process.communicate(timeout=30)[1].splitlines()
        assert process.returncode in {0, -signal.SIGTERM}


def test_on_this_machine_alone_nobody_is_asked(drawn: Drawn, at_node: str) -> None:
    with server() as (port, line, said):
        assert line == f"lexel answers at http://127.0.0.1:{port}/"
        there = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        answer = there.get("/search", params={"q": "a private question", "mode": "words"})
        assert answer.status_code == 200
        assert "server" not in answer.headers
    assert not any("private" in one for one in said)


def test_elsewhere_a_token_is_made_and_asked_for(drawn: Drawn, at_node: str) -> None:
    with server("--host", "0.0.0.0") as (port, line, said):
        token = line.partition("?token=")[2]
        assert len(token) >= 32
        there = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        assert there.get("/search").status_code == 401
        assert there.get("/search", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert there.get("/", params={"token": token}).status_code == 303
        assert there.get("/search").status_code == 200  # by the cookie
    assert not any(token in one for one in said)


def test_a_token_that_is_given_is_not_printed(drawn: Drawn, at_node: str) -> None:
    with server("--host", "0.0.0.0", LEXEL_TOKEN="known-to-us") as (port, line, _):
        assert "known-to-us" not in line
        answer = httpx.get(
            f"http://127.0.0.1:{port}/search", headers={"Authorization": "Bearer known-to-us"}, timeout=30
        )
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--index", "nowhere"], "There is no index nowhere"), (["--host", "256.1.1.1"], "cannot listen at 256.1.1.1")],
)
def test_what_cannot_be_is_one_sentence(drawn: Drawn, at_node: str, options: list[str], says: str) -> None:
    answer = subprocess.run([*SERVE, "--port", "0", *options], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    assert says in answer.stderr
