"""Routes about a collection: its indices, its words, and queries of which the right answer is known."""

from typing import Annotated

from fastapi import APIRouter, Query

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest, ServedIndex
from lexel.pipeline.serve.schema import CollectionInfo, CollectionList, Example, Examples, TermCount, Terms

routes = APIRouter(tags=["collection"], responses=problems(404, 422, 429, 503))
IndexName = Annotated[str | None, Query(max_length=255, description="The index.")]


@routes.get("/indices")
def indices(shelf: OfRequest) -> CollectionList:
    """The indices that can be searched here."""
    return CollectionList(indices=[_collection(shelf.volume(name)) for name in shelf.names])


@routes.get("/terms")
def terms(
    shelf: OfRequest,
    prefix: Annotated[str, Query(max_length=100, description="How the words begin.", examples=["do"])] = "",
    k: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 10,
    index: IndexName = None,
) -> Terms:
    """Words to search by, with how many items they say most of; for completing what is typed."""
    volume = shelf.volume(index)
    found = _beginning(volume, prefix.lower())
    common = sorted(found, key=lambda term: (-volume.words.get(term, 0), term))[:k]
    listed = [TermCount(term=term, count=volume.words.get(term, 0), form=found[term]) for term in common]
    return Terms(index=volume.name, total=len(set(volume.forms.values())) or len(volume.words), terms=listed)


@routes.get("/examples")
def examples(
    shelf: OfRequest,
    k: Annotated[int, Query(ge=1, le=50, description="How many.")] = 6,
    seed: Annotated[int, Query(ge=0, le=2**31, description="Another one gives others.")] = 0,
    index: IndexName = None,
) -> Examples:
    """Captions of the collection, to search by, each with the item that was captioned so."""
    volume = shelf.volume(index)
    if volume.index.side == "text" or not volume.captioned:
        return Examples(index=volume.name, examples=[])
    dice = {"random_score": {"seed": seed, "field": "_seq_no"}, "query": {"exists": {"field": "captions"}}}
    body = {"size": k, "query": {"function_score": dice}, "_source": ["captions"]}
    with readable_errors():
        hits = volume.index.client.search(index=volume.real, body=body)["hits"]["hits"]
    captions = [(hit["_id"], hit["_source"]["captions"]) for hit in hits]
    return Examples(
        index=volume.name,
        examples=[Example(q=said[(seed + i) % len(said)], id=id_) for i, (id_, said) in enumerate(captions)],
    )


def _beginning(volume: ServedIndex, prefix: str) -> dict[str, str]:
    """The terms that have a form which begins so, each with the form that says so: itself, or else the shortest."""
    if not prefix:
        return {term: term for term in volume.words}
    forms = volume.forms or {term: term for term in volume.words}
    found: dict[str, str] = {}
    for form in sorted((form for form in forms if form.startswith(prefix)), key=len):
        term = forms[form]
        found[term] = term if term.startswith(prefix) else found.get(term, form)
    return found


def _collection(volume: ServedIndex) -> CollectionInfo:
    about = volume.index.about
    return CollectionInfo(
        name=volume.name,
        side="text" if about["captions"] else "image",
        documents=volume.documents,
        encoder=about["name"],
        model=volume.model,
        facets=list(volume.facets),
        captioned=volume.captioned,
        weight=dict(volume.weight),
    )
