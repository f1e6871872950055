"""The route that explains scores."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from lexel.pipeline.explain import comparison
from lexel.pipeline.explain import score_parts as one
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.request_parsing import BODY, ByBody, ParsedRequest
from lexel.pipeline.serve.schema import ComparisonBody, ExplainParams, ExplanationBody, Id

routes = APIRouter(tags=["search"], responses=problems(400, 404, 422, 429, 503))
ItemRef = Annotated[Id, Query(description="The item, by its id or its uri.")]
Other = Annotated[Id | None, Query(description="Another item to compare it with.")]


@routes.get("/explain", response_model=ExplanationBody | ComparisonBody)
def explain_by_address(wanted: Annotated[ExplainParams, Query()], registry: OfRequest) -> JSONResponse:
    """The parts of an item's score, or a comparison of two items and the query that would swap them."""
    return JSONResponse(_why(registry.index(wanted.index), ParsedRequest(wanted), wanted.id, wanted.against))


@routes.post("/explain", response_model=ExplanationBody | ComparisonBody, openapi_extra=BODY, responses=problems(413))
def explain_by_body(asked: ByBody, registry: OfRequest, id: ItemRef, against: Other = None) -> JSONResponse:
    """The same for a request with images."""
    return JSONResponse(_why(registry.index(asked.wanted.index), asked, id, against))


def _why(index: SearchIndex, asked: ParsedRequest, id_: str, against: str | None) -> dict[str, Any]:
    if against is None:
        return one.as_json(one.explain_item(index, id_, asked.ask()))
    return comparison.as_json(comparison.compare_items(index, asked.ask(), id_, against))
