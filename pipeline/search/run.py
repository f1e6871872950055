"""Runs searches: encodes the request, sends one query, and splits the scores of the hits into parts.

search_index(SearchIndex(connect(), "photos"), SearchRequest("two dogs +snow -cat", k=5))
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from lexel.encoders.term_weights import TOP_TERMS
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.search import neural_dsl, query_dsl
from lexel.pipeline.search.encode_query import EncodedQuery, encode_query
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.index_reader import IndexReader
from lexel.pipeline.search.query_dsl import Dsl
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Cursor, Hit, SearchResults, facet_counts

# From here on words that stand more than once become one clause, which weighs more.
_MANY_WORDS = 500
# How OpenSearch says that a query has too many clauses.
_TOO_MANY = ("maxClauseCount", "too_many_clauses", "too_many_nested_clauses")


def search_index(index: SearchIndex, request: SearchRequest | str) -> SearchResults:
    """Search `index`; a string is the query text. Text queries in modes `terms` and `words` load no torch.

    Raises ConfigError if `fusion` needs the neural-search plugin and the cluster has none, BadImageError if an image
    cannot be decoded, NotThereError if the index or an item to be `like` or `unlike` does not exist, ClusterError if
    OpenSearch fails.
    """
    if isinstance(request, str):
        request = SearchRequest(request)
    if request.mode == "hybrid" and request.fusion != "exact" and not index.has_neural:
        raise ConfigError(f"Fusion {request.fusion} needs the neural-search plugin, which this OpenSearch has not.")
    index.about  # noqa: B018 - what cannot be searched is said before anything is encoded
    filters = index.checked(request.filters, request.facets)  # which also sees that the index is another one by now
    if filters:
        request = replace(request, filters=filters)
    if request.like or request.unlike:
        ids, liked = index.ids((*request.like, *request.unlike)), len(request.like)
        request = replace(request, like=ids[:liked], unlike=ids[liked:])
    encoded, unknown = encode_query(index, request)
    unheard = _is_unheard(index, request) and not encoded.written
    body = _body(request, encoded, _least_cosine(index, request, unheard=unheard))
    if request.facets:
        body = query_dsl.with_facets(body, fields=request.facets, dates=index.fields.dates(request.facets))
    found = _answer(index, request, body, encoded, unknown=unknown, unheard=unheard)
    return found if found.hits else replace(found, silence=_silence(request, found))


def _counts(request: SearchRequest, *, unheard: bool) -> Literal["matches", "nearest", "alike"]:
    if request.mode == "vector":
        return "matches" if unheard else "nearest"
    return "matches" if request.query.said else "alike"


def _is_unheard(index: SearchIndex, request: SearchRequest) -> bool:
    """Whether only the vector can answer, since no word of the query is known."""
    asks = request.mode in {"vector", "hybrid"} and not (request.images or request.like)
    return asks and not index.encoder.query(request.query.text)


def _silence(request: SearchRequest, found: SearchResults) -> str:
    """Why nothing matches, in a sentence or two."""
    lacking = [word for word in request.query.required if set(found.unknown) & set(words(word))]
    if lacking:
        return f"No item can have +{lacking[0]}, which is no word of this index."
    if found.by_vector_alone or (request.mode in {"terms", "words"} and not found.weights):
        why = "No word of it is known" if found.unknown else "It has no word to search by"
        return f"{why}, and nothing looks near enough." if found.by_vector_alone else f"{why}."
    such = "No item that meets the conditions" if request.filters or request.query.banned else "No item"
    if request.query.required:
        every = " ".join(f"+{word}" for word in request.query.required)
        return f"{such} has {every} among its first {TOP_TERMS} words; without the + a word only adds to the score."
    if request.mode == "vector":
        return "No item meets the conditions."
    return f"{such} has a word of it{' or looks near enough' if request.mode == 'hybrid' else ''}."


def _least_cosine(index: SearchIndex, request: SearchRequest, *, unheard: bool) -> float | None:
    """The cut-off of the vector's neighbours, which is calibrated for texts that ask for images and the reverse.

    Who asks for the vector's ranking of known words gets it whole.
    """
    if not request.cutoff or not (unheard or request.mode == "hybrid"):
        return None
    side = "text" if request.query.text else "image"
    both = request.query.text and (request.images or request.like)
    return None if both or side == index.side else index.encoder.least_cosine(side)


def _body(request: SearchRequest, encoded: EncodedQuery, least: float | None) -> Dsl:
    k, filters, query, written = request.k, request.conditions(encoded.near), request.query, encoded.written
    match request.mode:
        # OpenSearch's analyzer asks by the nearest word too, but with the weight of the word itself; and it knows
        # nothing of examples.
        case "words" if (
            request.like or encoded.near or max(len(query.text.split()), sum(encoded.weights.values())) > _MANY_WORDS
        ):
            body = query_dsl.weighted_words(encoded.weights, k=k, filters=filters, written=written)
        case "words":
            body = query_dsl.words(query.plain, factors=query.factors, k=k, filters=filters, written=written)
        case "terms":
            body = query_dsl.terms(encoded.weights, k=k, filters=filters, written=written)
        case "vector":
            depth = request.depth if request.paged else 0
            body = query_dsl.vector(encoded.vector, k=k, filters=filters, depth=depth, least=least)
        case "hybrid" if request.fusion != "exact":
            fusion = request.fusion
            body = neural_dsl.hybrid(encoded.weights, vector=encoded.vector, fusion=fusion, k=k, filters=filters)
        case "hybrid":
            body = query_dsl.hybrid(
                encoded.weights,
                vector=encoded.vector,
                weight=encoded.weight,
                # Pages of any size are cut from the same ranking.
                k=1 if request.paged else k,
                filters=filters,
                depth=request.depth,
                written=written,
                least=least,
            )
    return query_dsl.with_page(body, offset=request.offset, k=k) if request.paged else body


def _answer(
    index: SearchIndex,
    request: SearchRequest,
    body: Dsl,
    encoded: EncodedQuery,
    *,
    unknown: tuple[str, ...],
    unheard: bool,
) -> SearchResults:
    # Whether search pipelines work at a snapshot depends on the version of the plugin.
    reader = IndexReader(index, paged=request.paged and request.fusion == "exact", after=request.after)
    answer = _folded(reader, request, body) if request.fold else _sent(reader, body)
    rows = answer["hits"]["hits"]
    unbanned = index.unknown(request.query.banned)
    found = SearchResults(
        tuple(_hit(index.root(row), row, encoded, request) for row in rows),
        total=answer["hits"]["total"]["value"],
        took=answer["took"],
        body=body,
        weights=encoded.weights,
        typical=index.typical_part(encoded.vector, encoded.weight) if request.fusion == "exact" else None,
        unknown=unknown,
        unbanned=unbanned,
        near=encoded.near,
        offers=_offers(index, (*unknown, *unbanned), encoded),
        by_vector_alone=unheard,
        counts=_counts(request, unheard=unheard),
        gained=encoded.moves.gained,
        lost=encoded.moves.lost,
        heard=encoded.heard,
        facets=facet_counts(answer),
        next=_next(reader, request, rows),
    )
    least = request.after.least if request.after else None
    return found if least is None else found.above(least)


def _offers(index: SearchIndex, words: tuple[str, ...], encoded: EncodedQuery) -> dict[str, tuple[str, ...]]:
    """The nearest terms of these words, without those that are asked for already."""
    found = {word: tuple(t for t in terms if t not in encoded.weights) for word, terms in index.offers(words).items()}
    return {word: terms for word, terms in found.items() if terms}


def _sent(reader: IndexReader, body: Dsl) -> dict[str, Any]:
    try:
        return reader.search(body)
    except ClusterError as error:
        if any(words in str(error.__cause__) + str(error) for words in _TOO_MANY):
            raise ConfigError(
                f"The query has more words and conditions than OpenSearch takes at once ({query_dsl.MAX_CLAUSES:,}); "
                "leave some out."
            ) from error
        raise


def _folded(reader: IndexReader, request: SearchRequest, body: Dsl) -> dict[str, Any]:
    """The response with only the best of each group of near-duplicates.

    OpenSearch cannot collapse rescored results: for a hybrid query the whole ranking is fetched, without documents, and
    collapsed here.
    """
    if "rescore" not in body:
        return _sent(reader, query_dsl.collapse_duplicates(body))
    depth = body["rescore"]["window_size"]
    lean = {"from": 0, "size": depth, "_source": False, "docvalue_fields": ["near"]}
    answer = _sent(reader, body | lean)
    best: dict[str, dict[str, Any]] = {}
    for row in answer["hits"]["hits"]:
        best.setdefault(row.get("fields", {}).get("near", [row["_id"]])[0], row)
    page = list(best.values())[request.offset : request.offset + request.k]
    answer["hits"]["hits"] = _with_sources(reader, page)
    return answer


def _with_sources(reader: IndexReader, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their stored fields; without a snapshot, one may have been deleted since it was ranked."""
    if not rows:
        return []
    found = reader.stored(sorted({row["_id"] for row in rows}))
    stored = {(one["_index"], one["_id"]): one["_source"] for one in found}
    held = [(row, stored.get((row["_index"], row["_id"]))) for row in rows]
    return [row | {"_source": source} for row, source in held if source is not None]


def _next(reader: IndexReader, request: SearchRequest, rows: Sequence[Mapping[str, Any]]) -> Cursor | None:
    """Where the next page begins: nowhere after one that is not full, or at the end of what the query ranks."""
    end = request.offset + len(rows)
    ranked = query_dsl.MAX_RESULTS if request.mode in {"terms", "words"} else request.depth
    if not request.paged or len(rows) < request.k or end + request.k > ranked:
        return None
    return reader.cursor(end, request.after.least if request.after else None)


def _hit(root: str, row: Mapping[str, Any], encoded: EncodedQuery, request: SearchRequest) -> Hit:
    source, matched = row["_source"], row.get("matched_queries", ())
    parts = {t: w * source["terms"][t] for t, w in encoded.weights.items() if t in source["terms"]}
    parts = dict(sorted(parts.items(), key=lambda part: -part[1]))
    written = {word: weight for word, weight in encoded.written.items() if word in matched}
    engine = row["_score"]
    score = encoded.score_of(engine, mode=request.mode) if request.fusion == "exact" else engine
    rest = score - sum(parts.values()) - sum(written.values()) if request.mode in {"vector", "hybrid"} else 0.0
    return Hit(row["_id"], score, source["uri"], root, parts, rest, source, written, engine)
