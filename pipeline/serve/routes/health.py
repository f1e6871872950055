"""Routes for monitoring: health check and metrics."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from lexel.pipeline.errors import LexelError
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.request_metrics import RequestMetrics, of_request
from lexel.pipeline.serve.schema import Health

routes = APIRouter(tags=["health"])


@routes.get("/healthz", responses={503: {"model": Health, "description": "OpenSearch or an index is away"}})
def healthz(registry: OfRequest, response: Response) -> Health:
    """Whether the server can answer; `loading` while queries that need an encoder would have to wait."""
    models: dict[str, str] = {}
    try:
        models = {name: registry.served(name, fresh=True).model for name in registry.names}
    except LexelError:
        response.status_code = 503
        return Health(status="away", cluster=False, models=models)
    return Health(status="loading" if "loading" in models.values() else "ready", cluster=True, models=models)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(meter: Annotated[RequestMetrics, Depends(of_request)]) -> Response:
    """Counts and durations of requests in Prometheus' text format."""
    return Response(generate_latest(meter.registry), media_type=CONTENT_TYPE_LATEST)
