"""The socket that the server listens on, and running the server on it."""

import socket
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from lexel.pipeline.errors import ConfigError

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
# Connections at once; further ones are answered with status 503.
_AT_ONCE = 200


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address, which only this machine can reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket at this address. Raises ConfigError if it is taken or not this machine's."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With `protocol` set to TCP, asyncio disables Nagle's algorithm, which delays small answers by 40 ms.
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(where)
            # Clients that connect before the server runs wait instead of being refused.
            sock.listen(_AT_ONCE)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"The server cannot listen at {host} port {port}: {reason}; give another --port.") from error
    return sock


def address(sock: socket.socket, host: str, token: str | None) -> str:
    """The URL to open in a browser, with the token if one is given."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{sock.getsockname()[1]}/" + (f"?token={token}" if token else "")


def run(app: FastAPI, sock: socket.socket) -> None:
    """Serve until interrupted.

    URLs are not logged, since they contain queries and the token. X-Forwarded-For is ignored.
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, server_header=False, limit_concurrency=_AT_ONCE
    )
    uvicorn.Server(config).run(sockets=[sock])
