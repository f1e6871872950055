"""`lexel serve`."""

from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OPENSEARCH, DeviceOpt
from lexel.pipeline.cli.views.console import err
from lexel.pipeline.errors import ConfigError

SERVER = "Server"


def serve(
    host: Annotated[
        str,
        typer.Option(
            help="The address to listen on; other than loopback, a token is required.", rich_help_panel=SERVER
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 chooses a free one.", rich_help_panel=SERVER)
    ] = 8600,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="LEXEL_TOKEN",
            show_envvar=True,
            help="The token for clients; generated if required.",
            rich_help_panel=SERVER,
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Requests per second of each client.", rich_help_panel=SERVER)
    ] = 20,
    upload: Annotated[
        int,
        typer.Option(min=1, max=1024, metavar="MB", help="Maximum size of a request.", rich_help_panel=SERVER),
    ] = 32,
    device: DeviceOpt = "auto",
    indices: Annotated[
        list[str] | None,
        typer.Option(
            "--index",
            metavar="NAME",
            help="An index to serve; can be repeated.",
            show_default="images",
            rich_help_panel=OPENSEARCH,
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Serve searches over HTTP, with a search page.

    Example: lexel serve --index photos

    Example: LEXEL_TOKEN=secret lexel serve --index photos --host 0.0.0.0
    """
    try:
        from lexel.pipeline.serve.run import ServeOptions, open_server
    except ImportError as error:
        raise ConfigError("The server is not installed; run `pip install 'lexel[serve]'`.") from error
    from lexel.pipeline.cluster.client import connect

    options = ServeOptions(host=host, port=port, token=token, rate=rate, upload=upload << 20, device=device)
    server = open_server(indices or ["images"], client=connect(connections=64, timeout=20), options=options)
    if server.away:
        warning = f"lexel: {server.away} Requests are answered when it is back."
        err.print(warning, style="yellow", soft_wrap=True, markup=False)
    err.print(f"lexel answers at {server.address}", soft_wrap=True, markup=False)
    server.run()
