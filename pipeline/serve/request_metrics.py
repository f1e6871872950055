"""Counts and durations of requests, for Prometheus."""

import time

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Other methods are counted as "other", so that clients cannot create labels.
_METHODS = {"GET", "POST", "HEAD", "OPTIONS"}


_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10)


class RequestMetrics:
    """The number and duration of requests by route, method and status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter("lexel_requests", "Answered requests.", ("route", "method", "status"), registry=own)
        self.seconds = Histogram(
            "lexel_request_seconds", "Duration of requests in seconds.", ("route",), buckets=_BUCKETS, registry=own
        )
        self.busy = Gauge("lexel_requests_in_progress", "Requests being answered.", registry=own)


def of_request(request: Request) -> RequestMetrics:
    """The metrics of the application, as a FastAPI dependency."""
    meter: RequestMetrics = request.app.state.meter
    return meter


class MetricsMiddleware:
    """Counts and times each request by its route, so that ids and queries do not become labels."""

    def __init__(self, app: ASGIApp, *, meter: RequestMetrics) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record its status and duration."""
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
