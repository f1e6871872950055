"""Search routes."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import NotThereError
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.filters import bans, requires
from lexel.pipeline.search.query_syntax import ParsedQuery
from lexel.pipeline.search.results import SearchResults, as_json
from lexel.pipeline.search.run import search_index
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest, ServedIndex
from lexel.pipeline.serve.request_parsing import BODY, ByAddress, ByBody, ParsedRequest
from lexel.pipeline.serve.schema import Id, Rank, RankParams, ResultsBody, SearchParams

routes = APIRouter(tags=["search"], responses=problems(400, 404, 422, 429, 503))
# The deepest rank that is reported.
_RANKED = 200
_MANY_WORDS = 32


@routes.get("/search", response_model=ResultsBody)
def search_by_address(request: ByAddress, registry: OfRequest) -> JSONResponse:
    """Search by text, by similar items, or both; with neither, list the collection."""
    return answered(registry.served(request.params.index), request)


@routes.post("/search", response_model=ResultsBody, openapi_extra=BODY, responses=problems(413))
def search_by_body(request: ByBody, registry: OfRequest) -> JSONResponse:
    """The same with JSON, or with a form that has images: `curl -F image=@dog.jpg -F q="at night"`."""
    return answered(registry.served(request.params.index), request)


@routes.get("/similar", response_model=ResultsBody)
def similar(
    registry: OfRequest,
    id: Annotated[Id, Query(description="The item.", examples=["0a1b2c"])],
    index: Annotated[str | None, Query(max_length=255)] = None,
    k: Annotated[int, Query(ge=1, le=200)] = 30,
) -> JSONResponse:
    """Items similar to an item, without the item itself."""
    return answered(registry.served(index), ParsedRequest(SearchParams(like=[id], k=k)))


@routes.get("/rank", response_model=Rank)
def rank(params: Annotated[RankParams, Query()], registry: OfRequest) -> Rank:
    """The rank of an item among the first 200 results of a search."""
    request = replace(ParsedRequest(params).search_request(), k=_RANKED, paged=False, after=None, facets={})
    found = search_index(registry.index(params.index), request)
    ids = [hit.id for hit in found.hits]
    return Rank(id=params.id, rank=ids.index(params.id) + 1 if params.id in ids else None, of=_RANKED)


def answered(served: ServedIndex, request: ParsedRequest) -> JSONResponse:
    """The response to a search request."""
    found = _found(served, request)
    if request.params.within is not None and request.cursor is None:
        found = found.within(request.params.within)
    return JSONResponse(_written(served, request, found))


def _found(served: ServedIndex, request: ParsedRequest) -> SearchResults:
    """The results of the search, or of browsing if there is no query text and no image."""
    if request.cursor and request.cursor.index != served.real:  # it is sent by the client, and could name any index
        raise NotThereError("The collection has been loaded again since; start from the first page.")
    query, cursor = request.query, request.cursor
    if cursor and not served.index.snapshots.has(cursor.snapshot):  # of another index, or of this one before a restart
        cursor = replace(cursor, snapshot=None)
    if query.text or request.pictures or request.params.like or request.params.unlike:
        return search_index(served.index, replace(request.search_request(), after=cursor))
    filters = [*request.filters, *map(requires, query.required), *map(bans, query.banned)]
    found = browse(served.index, k=request.params.k, filters=filters, facets=request.facets, after=cursor)
    unbanned = served.index.unknown(query.banned)
    return replace(found, unbanned=unbanned, offers=served.index.offers(unbanned))


def _written(served: ServedIndex, request: ParsedRequest, found: SearchResults) -> dict[str, Any]:
    plain = as_json(found)
    for hit, one in zip(found.hits, plain["hits"], strict=True):
        del one["path"]  # clients must not see local paths
        one.update(width=hit.source.get("width"), height=hit.source.get("height"), top_terms=hit.top_terms)
    heaviest = sorted(found.weights.items(), key=lambda pair: (-pair[1], pair[0]))[:_MANY_WORDS]
    return plain | {
        "index": served.name,
        "asked": dict(heaviest),
        "words": _terms_of(served, request.query),
        "dsl": found.body if request.params.dsl else None,
    }


def _terms_of(served: ServedIndex, query: ParsedQuery) -> dict[str, str]:
    """The term of each word in the query text, banned words included."""
    typed = [*query.text.split(), *query.banned]
    found = {word: served.term(read[0]) for word in typed if len(read := words(word)) == 1}
    return {word: term for word, term in found.items() if term}
