"""The server on the drawn collection: as an app to ask in process, and listening on a free port for a browser."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opensearchpy import OpenSearch

from lexel.pipeline.serve.app import app
from lexel.pipeline.serve.index_registry import IndexRegistry
from lexel.pipeline.serve.listen import listen
from lexel.pipeline.serve.middleware import Limits

# A test asks faster than a person.
QUICK = Limits(rate=1000, burst=10_000)


def served(
    client: OpenSearch,
    *names: str,
    limits: Limits = QUICK,
    token: str | None = None,
    hosts: frozenset[str] | None = frozenset({"127.0.0.1"}),
) -> FastAPI:
    registry = IndexRegistry(client, names or ("drawn-images", "drawn-captions"), prepare=False)
    return app(registry, limits=limits, token=token, hosts=hosts)


def asking(made: FastAPI) -> TestClient:
    return TestClient(made, base_url="http://127.0.0.1", raise_server_exceptions=False)


@contextmanager
def listening(made: FastAPI) -> Iterator[str]:
    """Its address, while it listens."""
    door = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
