"""The FastAPI application: routes, middleware and the web page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from lexel.pipeline.serve import error_responses
from lexel.pipeline.serve.index_registry import IndexRegistry
from lexel.pipeline.serve.middleware import GuardMiddleware, Limits, TooLargeError, too_large
from lexel.pipeline.serve.request_metrics import MetricsMiddleware, RequestMetrics
from lexel.pipeline.serve.routes import collection, encode, explain, health, images, search

_PAGE = Path(__file__).parent / "page"
# Requests handled at once; further ones wait, so that OpenSearch is not flooded.
_THREADS = 16
_ABOUT = """Images as weighted words: search by words, by pictures or by both, and see why each result came.

Every failure is `{"error": "one sentence"}`."""


def app(
    registry: IndexRegistry,
    *,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: frozenset[str] | None = None,
) -> FastAPI:
    """The application for these indices. `token` is required of clients if given; `hosts` are accepted Host names."""
    # FastAPI's documentation pages load scripts from a CDN.
    made = FastAPI(
        title="lexel", version=version("lexel"), description=_ABOUT, docs_url=None, redoc_url=None, lifespan=_lifespan
    )
    made.state.registry, made.state.meter = registry, RequestMetrics()
    error_responses.add_error_handlers(made)
    made.add_exception_handler(TooLargeError, too_large)
    for noun in (search, explain, encode, images, collection, health):
        made.include_router(noun.routes)
    made.mount("/page", StaticFiles(directory=_PAGE), name="page")
    made.add_api_route("/", _index, include_in_schema=False)
    made.add_middleware(GuardMiddleware, limits=limits or Limits(), token=token, hosts=hosts)
    made.add_middleware(MetricsMiddleware, meter=made.state.meter)
    return made


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


async def _index() -> FileResponse:
    return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})
