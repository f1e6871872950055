"""Routes that search."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

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
# A rank further down is of no use to anybody.
_RANKED = 200
_MANY_WORDS = 32


@routes.get("/search", response_model=ResultsBody)
def search_by_address(asked: ByAddress, shelf: OfRequest) -> JSONResponse:
    """Search by words, by items to be like, or by both; with neither, list the collection."""
    return answered(shelf.volume(asked.wanted.index), asked)


@routes.post("/search", response_model=ResultsBody, openapi_extra=BODY, responses=problems(413))
def search_by_body(asked: ByBody, shelf: OfRequest) -> JSONResponse:
    """The same by JSON, or by a form that brings pictures along: `curl -F image=@dog.jpg -F q="at night"`."""
    return answered(shelf.volume(asked.wanted.index), asked)


@routes.get("/similar", response_model=ResultsBody)
def similar(
    shelf: OfRequest,
    id: Annotated[Id, Query(description="The item.", examples=["0a1b2c"])],
    index: Annotated[str | None, Query(max_length=255)] = None,
    k: Annotated[int, Query(ge=1, le=200)] = 30,
) -> JSONResponse:
    """What is like an item of the index, without the item itself."""
    return answered(shelf.volume(index), ParsedRequest(SearchParams(like=[id], k=k)))


@routes.get("/rank", response_model=Rank)
def rank(wanted: Annotated[RankParams, Query()], shelf: OfRequest) -> Rank:
    """Where an item stands among the results of a search, however far down the page it would be."""
    ask = replace(ParsedRequest(wanted).ask(), k=_RANKED, paged=False, after=None, facets={})
    found = search_index(shelf.index(wanted.index), ask)
    ids = [hit.id for hit in found.hits]
    return Rank(id=wanted.id, rank=ids.index(wanted.id) + 1 if wanted.id in ids else None, of=_RANKED)


def answered(volume: ServedIndex, asked: ParsedRequest) -> JSONResponse:
    """What an index has for a question, as the page and other programs read it."""
    found = _found(volume, asked)
    if asked.wanted.within is not None and asked.cursor is None:
        found = found.within(asked.wanted.within)
    return JSONResponse(_written(volume, asked, found))


def _found(volume: ServedIndex, asked: ParsedRequest) -> SearchResults:
    """The results; without words and pictures those of looking around."""
    if asked.cursor and asked.cursor.index != volume.real:  # it comes from outside, and may name any index
        raise NotThereError("The collection was loaded anew since; begin with the first page again.")
    query = asked.query
    if query.text or asked.pictures or asked.wanted.like:
        return search_index(volume.index, asked.ask())
    filters = [*asked.filters, *map(requires, query.required), *map(bans, query.banned)]
    return browse(volume.index, k=asked.wanted.k, filters=filters, facets=asked.facets, after=asked.cursor)


def _written(volume: ServedIndex, asked: ParsedRequest, found: SearchResults) -> dict[str, Any]:
    plain = as_json(found)
    for hit, one in zip(found.hits, plain["hits"], strict=True):
        del one["path"]  # where the files lie on this machine is nobody's business
        one.update(width=hit.source.get("width"), height=hit.source.get("height"), top_terms=hit.top_terms)
    heaviest = sorted(found.weights.items(), key=lambda pair: (-pair[1], pair[0]))[:_MANY_WORDS]
    return plain | {
        "index": volume.name,
        "asked": dict(heaviest),
        "words": _terms_of(volume, asked.query),
        "floor": found.floor,
        "dsl": found.body if asked.wanted.dsl else None,
    }


def _terms_of(volume: ServedIndex, query: ParsedQuery) -> dict[str, str]:
    """Which term each word of a typed query means."""
    typed = [*query.text.split(), *query.banned]
    return {word: volume.forms[word.lower()] for word in typed if word.lower() in volume.forms}
