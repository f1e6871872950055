"""The command that serves searches, and a page to search with."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import DeviceOpt
from lexel.pipeline.cli.views.console import err
from lexel.pipeline.errors import ClusterError, ConfigError, NotThereError

if TYPE_CHECKING:
    from lexel.pipeline.serve.index_registry import IndexRegistry


def serve(
    indices: Annotated[
        list[str] | None,
        typer.Option("--index", metavar="NAME", help="An index to search, or several.", show_default="images"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; elsewhere than here, a token is asked for.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8600,
    token: Annotated[
        str | None, typer.Option(envvar="LEXEL_TOKEN", show_envvar=True, help="What lets in; made where it is needed.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Questions a second that a client may ask.")] = 20,
    upload: Annotated[int, typer.Option(min=1, max=1024, metavar="MB", help="The size of a question's pictures.")] = 32,
    device: DeviceOpt = "auto",
    config: ConfigFile = None,
) -> None:
    """Serve searches over HTTP, with a page to search with.

    Example: lexel serve --index photos

    Example: LEXEL_TOKEN=secret lexel serve --index photos --host 0.0.0.0
    """
    try:
        from lexel.pipeline.serve.app import app
        from lexel.pipeline.serve.listen import OWN_NAMES, address, is_loopback, listen, run
        from lexel.pipeline.serve.middleware import Limits
    except ImportError as error:
        raise ConfigError("The server is not installed; run `pip install 'lexel[serve]'`.") from error
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.serve.index_registry import IndexRegistry

    client = connect(connections=64, timeout=20)
    shelf = IndexRegistry(client, indices or ["images"], device=device)
    for name in shelf.names:
        _look(shelf, name)
    key = token if token or is_loopback(host) else secrets.token_urlsafe(24)
    door = listen(host, port)
    names = None if key else frozenset({host, *OWN_NAMES})
    made = app(shelf, limits=Limits(body=upload << 20, rate=rate, burst=3 * rate), token=key, hosts=names)
    err.print(f"lexel answers at {address(door, host, key if key != token else None)}", soft_wrap=True, markup=False)
    run(made, door)


def _look(shelf: "IndexRegistry", name: str) -> None:
    """Raises NotThereError for an index that is not there; a cluster that is away may come back."""
    try:
        shelf.volume(name)
    except NotThereError:
        raise
    except ClusterError as error:
        err.print(
            f"lexel: {error} Questions are answered when it is back.", style="yellow", markup=False, soft_wrap=True
        )
