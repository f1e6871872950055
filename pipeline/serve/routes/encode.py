"""The route that encodes texts or images, for clients that ask OpenSearch themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from lexel.pipeline.serve.encode_batch import EncodedBody, EncodeParams, encode_batch
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.request_parsing import json_body, validated

routes = APIRouter(tags=["encode"], responses=problems(400, 404, 413, 422, 429, 503))
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": EncodeParams.model_json_schema()}}}
}


async def _params(request: Request) -> EncodeParams:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"", "application/json"}:
        raise HTTPException(415, "Send JSON (application/json), with images in base64.")
    params = validated(EncodeParams, await json_body(request))
    # The first is paid for as any request is.
    request.state.charge(params.count - 1)
    return params


@routes.post("/encode", response_model=EncodedBody, openapi_extra=_BODY)
def encode(params: Annotated[EncodeParams, Depends(_params)], registry: OfRequest) -> Response:
    """Weighted terms and vectors of up to 64 texts or images, by the index's encoder; each counts as a search."""
    return Response(encode_batch(registry.index(params.index), params), media_type="application/json")
