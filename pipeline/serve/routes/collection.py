"""Routes about collections: the indices, their terms, and example queries."""

from typing import Annotated

from fastapi import APIRouter, Query

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.serve.error_responses import problems
from lexel.pipeline.serve.index_registry import OfRequest, ServedIndex
from lexel.pipeline.serve.schema import CollectionInfo, CollectionList, Example, Examples, TermCount, Terms

routes = APIRouter(tags=["collection"], responses=problems(404, 422, 429, 503))
IndexName = Annotated[str | None, Query(max_length=255, description="The index.")]


@routes.get("/indices")
def indices(registry: OfRequest) -> CollectionList:
    """The indices that this server offers."""
    return CollectionList(indices=[_collection(registry.served(name)) for name in registry.names])


@routes.get("/terms")
def terms(
    registry: OfRequest,
    prefix: Annotated[str, Query(max_length=100, description="The first letters.", examples=["do"])] = "",
    k: Annotated[int, Query(ge=1, le=1000, description="The maximum number of terms.")] = 10,
    index: IndexName = None,
) -> Terms:
    """Terms to complete a typed prefix, with the number of items that have them among their top terms."""
    served = registry.served(index)
    found = _beginning(served, prefix.lower())
    common = sorted(found, key=lambda term: (-served.words.get(term, 0), term))[:k]
    listed = [TermCount(term=term, count=served.words.get(term, 0), form=found[term]) for term in common]
    return Terms(index=served.name, total=len(set(served.forms.values())) or len(served.words), terms=listed)


@routes.get("/examples")
def examples(
    registry: OfRequest,
    k: Annotated[int, Query(ge=1, le=50, description="The number of examples.")] = 6,
    seed: Annotated[int, Query(ge=0, le=2**31, description="Random seed.")] = 0,
    index: IndexName = None,
) -> Examples:
    """Random captions of the collection as example queries, each with the item that it describes."""
    served = registry.served(index)
    if served.index.side == "text" or not served.captioned:
        return Examples(index=served.name, examples=[])
    dice = {"random_score": {"seed": seed, "field": "_seq_no"}, "query": {"exists": {"field": "captions"}}}
    body = {"size": k, "query": {"function_score": dice}, "_source": ["captions"]}
    with readable_errors():
        hits = served.index.client.search(index=served.real, body=body)["hits"]["hits"]
    captions = [(hit["_id"], hit["_source"]["captions"]) for hit in hits]
    return Examples(
        index=served.name,
        examples=[Example(q=texts[(seed + i) % len(texts)], id=id_) for i, (id_, texts) in enumerate(captions)],
    )


def _beginning(served: ServedIndex, prefix: str) -> dict[str, str]:
    """The terms with a form that begins with `prefix`, each with that form: the term itself, else the shortest."""
    if not prefix:
        return {term: term for term in served.words}
    forms = served.forms or {term: term for term in served.words}
    found: dict[str, str] = {}
    for form in sorted((form for form in forms if form.startswith(prefix)), key=len):
        term = forms[form]
        found[term] = term if term.startswith(prefix) else found.get(term, form)
    return found


def _collection(served: ServedIndex) -> CollectionInfo:
    about = served.index.about
    return CollectionInfo(
        name=served.name,
        side="text" if about["captions"] else "image",
        documents=served.documents,
        encoder=about["name"],
        model=served.model,
        facets=list(served.facets),
        written=served.index.has_written,
        captioned=served.captioned,
        weight=dict(served.weight),
    )
