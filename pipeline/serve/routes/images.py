"""Routes for single items: stored fields, thumbnail, original file."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from lexel.pipeline.errors import NotThereError
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.serve import image_files
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest
from lexel.pipeline.serve.schema import ItemBody

routes = APIRouter(prefix="/images", tags=["images"], responses=problems(404, 422, 429, 503))
ItemId = Annotated[str, Path(min_length=1, max_length=512, description="The item's id.")]
IndexName = Annotated[str | None, Query(max_length=255, description="Its index.")]
_FIELDS = ("id", "uri", "top_terms", "width", "height", "text", "captions", "label", "meta", "near")
# Ids are content hashes unless a manifest gives them, so images rarely change.
_KEPT = {"Cache-Control": "private, max-age=3600"}
# Prevents a browser from running scripts in a file.
_INERT = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_PIECE = 1 << 18
_PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48"><rect width="64" height="48" fill="#9993"/>'
    b'<path d="M20 33l8-10 6 7 4-4 6 7z" fill="#9996"/><circle cx="40" cy="18" r="3" fill="#9996"/></svg>'
)


def _pictures(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}}}


@routes.get("/{id:path}/thumbnail", response_class=Response, responses=_pictures("image/jpeg", "image/svg+xml"))
def thumbnail(id: ItemId, registry: OfRequest, index: IndexName = None) -> Response:
    """The thumbnail of an item: the stored one, else one made of its file, else a placeholder.

    Other sites may embed it, as the map in Dashboards does.
    """
    search_index = registry.index(index)
    content = search_index.thumbnail(id) or _made(search_index, id)
    shown = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", **_INERT}
    if content is None:
        return Response(_PLACEHOLDER, media_type="image/svg+xml", headers=shown | {"Cache-Control": "no-cache"})
    return Response(content, media_type="image/jpeg", headers=shown | _KEPT)


@routes.get(
    "/{id:path}/original",
    response_class=StreamingResponse,
    responses=_pictures("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/avif"),
)
def original(id: ItemId, registry: OfRequest, index: IndexName = None) -> StreamingResponse:
    """The image file, if it is below the collection's root and of a type that browsers show."""
    search_index = registry.index(index)
    found = image_files.original(search_index.about["root"], search_index.item(id, fields=("uri",))["uri"])

    def pieces() -> Iterator[bytes]:
        with found.file:
            while piece := found.file.read(_PIECE):
                yield piece

    headers = _KEPT | _INERT | {"Content-Length": str(found.size)}
    return StreamingResponse(pieces(), media_type=found.kind, headers=headers)


@routes.get("/{id:path}")
def item(id: ItemId, registry: OfRequest, index: IndexName = None) -> ItemBody:
    """The stored fields of an item, without its vector."""
    search_index = registry.index(index)
    stored = search_index.item(id)
    terms = dict(sorted(stored["terms"].items(), key=lambda pair: -pair[1]))
    shown = {name: stored[name] for name in _FIELDS if name in stored}
    return ItemBody(**shown, terms=terms, original=image_files.exists(search_index.about["root"], stored["uri"]))


def _made(search_index: SearchIndex, id_: str) -> bytes | None:
    try:
        return image_files.thumbnail(search_index.about["root"], search_index.item(id_, fields=("uri",))["uri"])
    except (NotThereError, BadImageError):
        return None
