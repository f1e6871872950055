"""`lexel engine`: runs the embedded OpenSearch."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lexel.pipeline.engine import node_control

app = typer.Typer(no_args_is_help=True, help="Run OpenSearch on this machine, without Docker or a Java installation.")

Home = Annotated[Path | None, typer.Option(help="The folder of the node's data.", show_default="one for each user")]


@app.command()
def start(
    port: Annotated[int, typer.Option(help="The port; 0 chooses a free one, from 19200 on.")] = 0,
    heap: Annotated[str, typer.Option(help="The Java heap, such as 512m or 4g.")] = "1g",
    home: Home = None,
) -> None:
    """Start OpenSearch; the first time it is downloaded (about 90 MB).

    Example: lexel engine start --port 19200 --heap 2g
    """
    known = node_control.running(home)
    if known is None:
        with _progress() as say:
            known = node_control.start(port=port, heap=heap, home=home, say=say)
        typer.echo(f"OpenSearch {known.version} answers at {known.url}")
        if home:
            typer.echo(f"For the other commands: export OPENSEARCH_URL={known.url}")
    else:
        typer.echo(f"OpenSearch {known.version} runs already and answers at {known.url}")


@app.command()
def stop(home: Home = None) -> None:
    """Stop OpenSearch; its data is kept.

    Example: lexel engine stop
    """
    typer.echo("OpenSearch has stopped; its data stays." if node_control.stop(home) else "OpenSearch was not running.")


@app.command()
def status(home: Home = None) -> None:
    """Show whether OpenSearch is running, and where; the exit code is 1 if it is not.

    Example: lexel engine status
    """
    found = node_control.status(home)
    if found.node:
        typer.echo(f"OpenSearch {found.node.version} answers at {found.node.url} (process {found.node.pid})")
    elif found.pid:
        typer.echo(
            f"OpenSearch does not answer, though its process {found.pid} runs; wait, or run `lexel engine stop`."
        )
    else:
        typer.echo("OpenSearch is not running; `lexel engine start` starts it.")
    typer.echo(f"  data   {_readable(found.data_size):>9}  {found.home}")
    typer.echo(f"  files  {_readable(found.files_size):>9}  {found.files}")
    if not found.node:
        raise typer.Exit(1)


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Also delete OpenSearch's own files.")] = False,
    home: Home = None,
) -> None:
    """Stop OpenSearch and delete all its data.

    Example: lexel engine clean --all
    """
    removed = node_control.clean(home, files=everything)
    for one in removed:
        typer.echo(f"Removed {one.what}, {_readable(one.size)}.")
    if not removed:
        typer.echo("There was nothing to remove.")


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.1f} kB"


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show progress as one changing line on a terminal, else print each step once, without counts."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("Starting") as line:
            yield line.update
        return
    seen: set[str] = set()

    def say(text: str) -> None:
        step = re.sub(r" \d+ of \d+", "", text)
        if step not in seen:
            seen.add(step)
            typer.echo(step, err=True)

    yield say
