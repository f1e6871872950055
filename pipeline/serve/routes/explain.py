"""The route that explains scores."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from lexel.pipeline.explain import comparison, score_parts
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.explanation_schema import ComparisonBody, ExplanationBody
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.request_parsing import BODY, ByBody, ParsedRequest
from lexel.pipeline.serve.schema import ExplainParams, Id

routes = APIRouter(tags=["search"], responses=problems(400, 404, 422, 429, 503))
ItemRef = Annotated[Id, Query(description="The item, by its id or its uri.")]
Other = Annotated[Id | None, Query(description="Another item to compare it with.")]


@routes.get("/explain", response_model=ExplanationBody | ComparisonBody)
def explain_by_address(params: Annotated[ExplainParams, Query()], registry: OfRequest) -> JSONResponse:
    """The parts of an item's score, or a comparison of two items and the query that would swap them."""
    return JSONResponse(_why(registry.index(params.index), ParsedRequest(params), params.id, params.against))


@routes.post("/explain", response_model=ExplanationBody | ComparisonBody, openapi_extra=BODY, responses=problems(413))
def explain_by_body(request: ByBody, registry: OfRequest, id: ItemRef, against: Other = None) -> JSONResponse:
    """The same for a request with images."""
    return JSONResponse(_why(registry.index(request.params.index), request, id, against))


def _why(index: SearchIndex, request: ParsedRequest, id_: str, against: str | None) -> dict[str, Any]:
    if against is None:
        return score_parts.as_json(score_parts.explain_item(index, id_, request.search_request()))
    return comparison.as_json(comparison.compare_items(index, request.search_request(), id_, against))
