"""Opening and running the server."""

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from opensearchpy import OpenSearch

from lexel.pipeline.errors import ClusterError, NotThereError
from lexel.pipeline.serve.app import app
from lexel.pipeline.serve.index_registry import IndexRegistry
from lexel.pipeline.serve.listen import OWN_NAMES, address, is_loopback, listen, run
from lexel.pipeline.serve.middleware import Limits


@dataclass(frozen=True)
class ServeOptions:
    """The options of `lexel serve`.

    It listens at `host` and `port`, 0 for a free one. On an address that other machines can reach a token is required,
    and generated if none is given. A client may send `rate` requests per second, of at most `upload` bytes each.
    """

    host: str = "127.0.0.1"
    port: int = 8600
    token: str | None = None
    rate: float = 20.0
    upload: int = 32 << 20
    device: str = "auto"


@dataclass(frozen=True)
class Server:
    """A server whose socket is listening; requests wait until `run` is called.

    `away` is the reason why the cluster cannot be reached, else None.
    """

    app: FastAPI
    socket: socket.socket
    address: str
    away: str | None = None

    def run(self) -> None:
        """Serve until interrupted."""
        run(self.app, self.socket)


def open_server(indices: Sequence[str], *, client: OpenSearch, options: ServeOptions = ServeOptions()) -> Server:
    """A server for these indices. Raises NotThereError if one does not exist, ConfigError if the port is taken.

    An unreachable cluster is no error, since it may come back.
    """
    registry, away = IndexRegistry(client, list(indices), device=options.device), None
    for name in registry.names:
        try:
            registry.served(name)
        except NotThereError:
            raise
        except ClusterError as error:
            away = str(error)
    made_up = None if options.token or is_loopback(options.host) else secrets.token_urlsafe(24)
    token = options.token or made_up
    sock = listen(options.host, options.port)
    limits = Limits(body=options.upload, rate=options.rate, burst=3 * options.rate)
    names = None if token else frozenset({options.host, *OWN_NAMES})
    return Server(
        app(registry, limits=limits, token=token, hosts=names), sock, address(sock, options.host, made_up), away
    )
