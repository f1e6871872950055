"""Where the server listens: on this machine alone, unless it is told otherwise."""

import socket
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from lexel.pipeline.errors import ConfigError

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
# Requests at once; further ones are told to come back rather than kept waiting.
_AT_ONCE = 200


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket at this address. Raises ConfigError where it is taken, or none of this machine's."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Only of a socket that says it is TCP does asyncio send small answers at once; they took 40 ms more.
        door = socket.socket(family, kind, protocol)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(where)
        # From here on who comes waits, rather than being turned away until the server is up.
        door.listen(_AT_ONCE)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"The server cannot listen at {host} port {port}: {reason}; give another --port.") from error
    return door


def address(door: socket.socket, host: str, token: str | None) -> str:
    """What to open in a browser; with the token, where it is one that nobody knows yet."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{door.getsockname()[1]}/" + (f"?token={token}" if token else "")


def run(app: FastAPI, door: socket.socket) -> None:
    """Answer until it is told to stop.

    Addresses are not logged, for they hold what people search for, and at first a token; nor is anybody's word taken
    for where a request comes from.
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, server_header=False, limit_concurrency=_AT_ONCE
    )
    uvicorn.Server(config).run(sockets=[door])
