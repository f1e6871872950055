"""Routes for those who watch over the server, and what is counted for them."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lexel.pipeline.errors import LexelError
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.schema import Health

routes = APIRouter(tags=["health"])
# Whatever else a client writes there does not become a name.
_METHODS = {"GET", "POST", "HEAD", "OPTIONS"}
_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10)


class Meter:
    """How many requests there were of which kind, and how long they took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter("lexel_requests", "Answered requests.", ("route", "method", "status"), registry=own)
        self.seconds = Histogram(
            "lexel_request_seconds", "From question to answer.", ("route",), buckets=_BUCKETS, registry=own
        )
        self.busy = Gauge("lexel_requests_in_progress", "Requests being answered.", registry=own)


def of_request(request: Request) -> Meter:
    """The meter of the server that was asked."""
    meter: Meter = request.app.state.meter
    return meter


class Metered:
    """Counts and times each request by the route that it took, so that no id or query becomes a name."""

    def __init__(self, app: ASGIApp, *, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request on, and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._meter.busy.track_inprogress():
            try:
                await self._app(scope, receive, noted)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._meter.requests.labels(route, method, status).inc()
                self._meter.seconds.labels(route).observe(time.perf_counter() - began)


@routes.get("/healthz", responses={503: {"model": Health, "description": "OpenSearch or an index is away"}})
def healthz(shelf: OfRequest, response: Response) -> Health:
    """Whether questions can be answered; `loading` while those that need networks would have to wait."""
    models: dict[str, str] = {}
    try:
        models = {name: shelf.volume(name, fresh=True).model for name in shelf.names}
    except LexelError:
        response.status_code = 503
        return Health(status="away", cluster=False, models=models)
    return Health(status="loading" if "loading" in models.values() else "ready", cluster=True, models=models)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(meter: Annotated[Meter, Depends(of_request)]) -> Response:
    """Counters and times in the text form of Prometheus."""
    return Response(generate_latest(meter.registry), media_type=CONTENT_TYPE_LATEST)
