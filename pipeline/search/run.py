"""A search: what is asked becomes one query, which the node answers, and each hit says why it came.

search(Index(connect(), "photos"), Ask("two dogs +snow -cat", k=5))
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search import neural_dsl, query_dsl
from lexel.pipeline.search.encode_query import EncodedQuery, encode_query
from lexel.pipeline.search.filters import bans, requires
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import SOURCE, Dsl
from lexel.pipeline.search.query_syntax import ParsedQuery, parse_query
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Cursor, Hit, SearchResults, facet_counts

if TYPE_CHECKING:
    pass

# A request by this name always asks the same copies of the shards: others may put equal scores in another order.
_PREFERENCE = "lexel"


def search_index(index: SearchIndex, ask: SearchRequest | str) -> SearchResults:
    """What `index` has for `ask`; a string is the text of one. `terms` and `words` by text load no torch.

    Raises BadImageError where a picture's bytes are none, ClusterError for an item to be like that is not there.
    """
    wanted = SearchRequest(ask) if isinstance(ask, str) else ask
    if wanted.mode == "hybrid" and wanted.fusion != "exact" and not index.has_neural:
        raise ConfigError(f"Fusion {wanted.fusion} needs the neural-search plugin, which this OpenSearch has not.")
    line = parse_query(wanted.text)
    wanted = replace(wanted, filters=[*wanted.filters, *map(requires, line.required), *map(bans, line.banned)])
    asked, unknown = encode_query(index, wanted)
    return _answer(index, wanted, _body(wanted, asked, line), asked, unknown)


def _body(ask: SearchRequest, asked: EncodedQuery, line: ParsedQuery) -> Dsl:
    match ask.mode:
        case "words":
            body = query_dsl.words(line.plain, factors=line.factors, k=ask.k, filters=ask.filters)
        case "terms":
            body = query_dsl.terms(asked.weights, k=ask.k, filters=ask.filters)
        case "vector":
            depth = ask.depth if ask.paged else 0
            body = query_dsl.vector(asked.vector, k=ask.k, filters=ask.filters, depth=depth)
        case "hybrid" if ask.fusion != "exact":
            body = neural_dsl.hybrid(
                asked.weights, vector=asked.vector, fusion=ask.fusion, k=ask.k, filters=ask.filters
            )
        case "hybrid":
            body = query_dsl.hybrid(
                asked.weights,
                vector=asked.vector,
                weight=asked.weight,
                # Pages are cut from one ranking, whatever their size.
                k=1 if ask.paged else ask.k,
                filters=ask.filters,
                depth=ask.depth,
            )
    if ask.paged:
        body = query_dsl.with_page(body, offset=ask.offset, k=ask.k)
    return query_dsl.with_facets(body, fields=ask.facets) if ask.facets else body


def _answer(
    index: SearchIndex, ask: SearchRequest, body: Dsl, asked: EncodedQuery, unknown: tuple[str, ...]
) -> SearchResults:
    answer = _folded(index, ask, body) if ask.fold else _sent(index, ask, body)
    rows, root = answer["hits"]["hits"], Path(index.about["root"])
    found = SearchResults(
        tuple(_hit(root, row, asked.weights, dense=ask.mode in {"vector", "hybrid"}) for row in rows),
        total=answer["hits"]["total"]["value"],
        took=answer["took"],
        body=body,
        weights=asked.weights,
        # A cosine of 0 scores 1 in the vector's part.
        floor=asked.weight if ask.mode in {"vector", "hybrid"} and ask.fusion == "exact" else 0.0,
        unknown=unknown,
        facets=facet_counts(answer),
        next=_next(ask, rows),
    )
    least = ask.after.least if ask.after else None
    return found if least is None else found.above(least)


def _sent(index: SearchIndex, ask: SearchRequest, body: Dsl) -> dict[str, Any]:
    """The node's answer to `body`, from the index that the first page came from."""
    where = ask.after.index if ask.after else index.name
    with readable_errors():
        answer: dict[str, Any] = index.client.search(index=where, body=body, params={"preference": _PREFERENCE})
    return answer


def _folded(index: SearchIndex, ask: SearchRequest, body: Dsl) -> dict[str, Any]:
    """The same with near-duplicates folded.

    The engine cannot fold what it scores twice: of a hybrid query the whole ranking is fetched, without its documents,
    and folded here.
    """
    if "rescore" not in body:
        return _sent(index, ask, query_dsl.collapse_duplicates(body))
    depth = body["rescore"]["window_size"]
    lean = {"from": 0, "size": depth, "_source": False, "docvalue_fields": ["near"]}
    answer = _sent(index, ask, body | lean)
    best: dict[str, dict[str, Any]] = {}
    for row in answer["hits"]["hits"]:
        best.setdefault(row.get("fields", {}).get("near", [row["_id"]])[0], row)
    page = list(best.values())[ask.offset : ask.offset + ask.k]
    answer["hits"]["hits"] = _with_sources(index, page)
    return answer


def _with_sources(index: SearchIndex, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not rows:
        return []
    wanted = [{"_id": row["_id"], "_index": row["_index"], "_source": {"exclude": SOURCE["excludes"]}} for row in rows]
    with readable_errors():
        there = {one["_id"]: one for one in index.client.mget(body={"docs": wanted})["docs"]}
    return [row | {"_source": there[row["_id"]]["_source"]} for row in rows]


def _next(ask: SearchRequest, rows: Sequence[Mapping[str, Any]]) -> Cursor | None:
    """Where the next page begins: nowhere after one that is not full, or at the end of what the query ranks."""
    end = ask.offset + len(rows)
    ranked = query_dsl.MAX_RESULTS if ask.mode in {"terms", "words"} else ask.depth
    if not ask.paged or len(rows) < ask.k or end + ask.k > ranked:
        return None
    return Cursor(rows[0]["_index"], end, ask.after.least if ask.after else None)


def _hit(root: Path, row: Mapping[str, Any], weights: Mapping[str, float], *, dense: bool) -> Hit:
    source = row["_source"]
    parts = {t: w * source["terms"][t] for t, w in weights.items() if t in source["terms"]}
    parts = dict(sorted(parts.items(), key=lambda part: -part[1]))
    rest = row["_score"] - sum(parts.values()) if dense else 0.0
    return Hit(row["_id"], row["_score"], source["uri"], root / source["uri"], parts, rest, source)
