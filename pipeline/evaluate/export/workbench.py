"""Queries, judgments and searches as OpenSearch's Search Relevance Workbench imports them.

Each file is the body of a PUT request, to the address below `_plugins/_search_relevance/` that its folder is named
after.
Sources: the documentation of query sets, judgments and search configurations; `RestPutQuerySetAction`,
`ImportJudgmentsProcessor`, `TextValidationUtil` and the mappings of the plugin search-relevance.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.queries.directions import Direction
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.neural_dsl import PIPELINES
from lexel.pipeline.search.query_dsl import DEPTH, SOURCE, Dsl, Mode

# What stands for the ids of the models that a cluster gives the connectors of docs/opensearch.md.
TERMS_MODEL, VECTORS_MODEL = "TERMS_MODEL_ID", "VECTORS_MODEL_ID"
# Limits: queries of a set, nested objects of a document (OpenSearch's own), letters of a query and of a name.
_QUERIES, _NESTED, _TEXT, _NAME = 1000, 10_000, 2000, 50
# What it refuses in texts, in one of its versions or another. It puts them into the JSON of a search as they are.
_REFUSED = re.compile(r'["\\<>#:\x00-\x20\x7f]+')
_PLACEHOLDER = "%SearchText%"

Ratings = Mapping[str, Mapping[str, int]]


def write(folder: Path, direction: Direction, *, modes: Sequence[Mode], index: str, name: str) -> None:
    """Write query sets, judgments and a search configuration a mode, which searches `index`, to `folder`.

    Sets that are larger than the plugin takes are divided, and each has the judgments of its queries. Raises
    ConfigError if the queries are images, or if a file cannot be written.
    """
    require_texts([direction])
    found: dict[str, Any] = {}
    for number, ratings in enumerate(_parts(_ratings(direction)), 1):
        title = _plain(f"{number} {direction.name.replace('_', ' ')} of {name}")[:_NAME]
        found[f"query_sets/{number}.json"] = _query_set(title, ratings)
        found[f"judgments/{number}.json"] = _judgments(title, ratings)
    for mode in modes:
        found[f"search_configurations/{mode}.json"] = _configuration(mode, index)
    try:
        for old in [*folder.glob("query_sets/[0-9]*.json"), *folder.glob("judgments/[0-9]*.json")]:
            old.unlink()
        for file, body in found.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The files for the workbench cannot be written to {folder}: {error.strerror}.") from error


def require_texts(directions: Sequence[Direction]) -> None:
    """Raise ConfigError if none of the directions asks by texts, which are all that the workbench knows."""
    if not any(direction.side == "text" for direction in directions):
        raise ConfigError("The workbench asks by words, and these queries are images; add --queries short.")


def _ratings(direction: Direction) -> dict[str, dict[str, int]]:
    """The grade of each document by a query's text; queries of one text are one, and the higher grade is its."""
    found: dict[str, dict[str, int]] = {}
    for query in direction.queries:
        if text := _plain(query.text or "")[:_TEXT]:
            own = found.setdefault(text, {})
            for item, grade in direction.right[query.id].items():
                own[document_id(item)] = max(grade, own.get(document_id(item), grade))
    return found


def _parts(ratings: Ratings) -> Iterator[Ratings]:
    """As many of the queries at a time as the plugin takes with their judgments: each of these is a nested object."""
    part: dict[str, Mapping[str, int]] = {}
    held = 0
    for text, grades in ratings.items():
        best = dict(sorted(grades.items(), key=lambda pair: -pair[1])[: _NESTED - 1])
        if part and (len(part) == _QUERIES or held + 1 + len(best) > _NESTED):
            yield part
            part, held = {}, 0
        part[text] = best
        held += 1 + len(best)
    yield part


def _query_set(name: str, ratings: Ratings) -> dict[str, Any]:
    return {"name": name, "sampling": "manual", "querySetQueries": [{"queryText": text} for text in ratings]}


def _judgments(name: str, ratings: Ratings) -> dict[str, Any]:
    rated = [
        {"query": text, "ratings": [{"docId": id_, "rating": f"{grade:.3f}"} for id_, grade in grades.items()]}
        for text, grades in ratings.items()
    ]
    return {"name": name, "type": "IMPORT_JUDGMENT", "judgmentRatings": rated}


def _configuration(mode: Mode, index: str) -> dict[str, Any]:
    """A search as it is told to the workbench. Only `words` needs no model in the cluster."""
    about = {"name": f"lexel {mode}", "index": index}
    terms: Dsl = {"neural_sparse": {"terms": {"query_text": _PLACEHOLDER, "model_id": TERMS_MODEL}}}
    vector: Dsl = {"neural": {"vector": {"query_text": _PLACEHOLDER, "model_id": VECTORS_MODEL, "k": DEPTH // 2}}}
    match mode:
        case "words":
            query = query_dsl.words(_PLACEHOLDER)["query"]
        case "terms":
            query = terms
        case "vector":
            query = vector
        case "hybrid":  # by a pipeline: the exact sum needs the vector itself in the request
            query = {"hybrid": {"queries": [terms, vector]}}
            about["searchPipeline"] = PIPELINES["mean"]
    return about | {"query": json.dumps({"query": query, "_source": SOURCE})}


def _plain(text: str) -> str:
    return _REFUSED.sub(" ", text).strip()
