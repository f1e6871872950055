"""A search: what is asked becomes one query, which the node answers, and each hit says why it came.

search(Index(connect(), "photos"), Ask("two dogs +snow -cat", k=5))
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lexel.pipeline.cluster.client import in_words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search import neural_dsl, query_dsl
from lexel.pipeline.search.filters import bans, requires
from lexel.pipeline.search.index import Index
from lexel.pipeline.search.query_dsl import SOURCE, Dsl
from lexel.pipeline.search.query_syntax import Line, parse_line
from lexel.pipeline.search.request import Ask, Question, factored, sided
from lexel.pipeline.search.results import Cursor, Found, Hit, counts

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model

# A request by this name always asks the same copies of the shards: others may put equal scores in another order.
_PREFERENCE = "lexel"


def search(index: Index, ask: Ask | str) -> Found:
    """What `index` has for `ask`; a string is the text of one. `terms` and `words` by text load no torch.

    Raises BadImageError where a picture's bytes are none, ClusterError for an item to be like that is not there.
    """
    wanted = Ask(ask) if isinstance(ask, str) else ask
    if wanted.mode == "hybrid" and wanted.fusion != "exact" and not index.has_neural:
        raise ConfigError(f"Fusion {wanted.fusion} needs the neural-search plugin, which this OpenSearch has not.")
    line = parse_line(wanted.text)
    wanted = replace(wanted, filters=[*wanted.filters, *map(requires, line.required), *map(bans, line.banned)])
    asked, unknown = question(index, wanted)
    return _answer(index, wanted, _body(wanted, asked, line), asked, unknown)


def question(index: Index, ask: Ask) -> tuple[Question, tuple[str, ...]]:
    """What `ask` comes to, its terms, its vector and what that weighs; and the words that the index has no term for."""
    line = parse_line(ask.text)
    if ask.mode == "words":
        return _analyzed(index, line)
    return _encoded(index, line, ask), index.encoder.vocabulary.unknown(line.text)


def _encoded(index: Index, line: Line, ask: Ask) -> Question:
    dense = ask.mode in {"vector", "hybrid"}
    texts = [of_text(index, line, dense=dense)] if line.text else []
    pictures = [*(of_picture(index, content) for content in ask.images), *(of_item(index, id_) for id_ in ask.like)]
    if not dense:
        pictures = [replace(one, vector=()) for one in pictures]
    asked = sided(texts, pictures, share=ask.share)
    if ask.mode == "vector":
        asked = replace(asked, weights={}, weight=1.0)
    return asked if ask.weight is None or ask.mode != "hybrid" else replace(asked, weight=ask.weight)


def of_text(index: Index, line: Line, *, dense: bool) -> Question:
    """What a typed line asks for; with `dense` also as a vector, which needs the networks."""
    encoder = index.encoder
    weights = _expanded(index, line.text) if encoder.expands else encoder.query(line.text)
    vector = index.text_vector(line.text) if dense else ()
    return Question(factored(weights, line, encoder.query), vector, encoder.vector_weight("text"))


def _expanded(index: Index, text: str) -> dict[str, float]:
    with index.busy:
        return index.model.queries([text])[0]


def of_picture(index: Index, content: bytes) -> Question:
    """What a picture's bytes ask for. Raises BadImageError where they are none."""
    with index.busy:
        encoded = encode_picture(index.model, content)
    weights = index.encoder.picture_query(encoded.terms[0])
    return Question(weights, encoded.vectors[0].tolist(), index.encoder.vector_weight("image"))


def of_item(index: Index, id_: str) -> Question:
    """What an item of the index asks for by what is stored of it. Needs no networks."""
    stored = index.item(id_, fields=("terms", "vector"))
    weights = index.encoder.picture_query(stored["terms"]) if index.side == "image" else stored["terms"]
    return Question(weights, stored["vector"], index.encoder.vector_weight(index.side))


def encode_picture(model: "Model", content: bytes) -> "Encoded":
    """One picture's vector and terms. Raises BadImageError where the bytes are no picture."""
    from lexel.pipeline.images.decoder_pool import decode

    return model.images(model.pixels(decode(content, least=model.enough).rows)[None])


def _analyzed(index: Index, line: Line) -> tuple[Question, tuple[str, ...]]:
    """What OpenSearch makes of the line's words, so that hits can be explained without an encoder."""
    weights, unknown = index.analyzed(line.text)
    return Question(factored(weights, line, lambda text: index.analyzed(text)[0]), (), 0.0), unknown


def _body(ask: Ask, asked: Question, line: Line) -> Dsl:
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
        body = query_dsl.paged(body, offset=ask.offset, k=ask.k)
    return query_dsl.counted(body, fields=ask.facets) if ask.facets else body


def _answer(index: Index, ask: Ask, body: Dsl, asked: Question, unknown: tuple[str, ...]) -> Found:
    answer = _folded(index, ask, body) if ask.fold else _sent(index, ask, body)
    rows, root = answer["hits"]["hits"], Path(index.about["root"])
    found = Found(
        tuple(_hit(root, row, asked.weights, dense=ask.mode in {"vector", "hybrid"}) for row in rows),
        total=answer["hits"]["total"]["value"],
        took=answer["took"],
        body=body,
        weights=asked.weights,
        # A cosine of 0 scores 1 in the vector's part.
        floor=asked.weight if ask.mode in {"vector", "hybrid"} and ask.fusion == "exact" else 0.0,
        unknown=unknown,
        facets=counts(answer),
        next=_next(ask, rows),
    )
    least = ask.after.least if ask.after else None
    return found if least is None else found.above(least)


def _sent(index: Index, ask: Ask, body: Dsl) -> dict[str, Any]:
    """The node's answer to `body`, from the index that the first page came from."""
    where = ask.after.index if ask.after else index.name
    with in_words():
        answer: dict[str, Any] = index.client.search(index=where, body=body, params={"preference": _PREFERENCE})
    return answer


def _folded(index: Index, ask: Ask, body: Dsl) -> dict[str, Any]:
    """The same with near-duplicates folded.

    The engine cannot fold what it scores twice: of a hybrid query the whole ranking is fetched, without its documents,
    and folded here.
    """
    if "rescore" not in body:
        return _sent(index, ask, query_dsl.folded(body))
    depth = body["rescore"]["window_size"]
    lean = {"from": 0, "size": depth, "_source": False, "docvalue_fields": ["near"]}
    answer = _sent(index, ask, body | lean)
    best: dict[str, dict[str, Any]] = {}
    for row in answer["hits"]["hits"]:
        best.setdefault(row.get("fields", {}).get("near", [row["_id"]])[0], row)
    page = list(best.values())[ask.offset : ask.offset + ask.k]
    answer["hits"]["hits"] = _with_sources(index, page)
    return answer


def _with_sources(index: Index, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not rows:
        return []
    wanted = [{"_id": row["_id"], "_index": row["_index"], "_source": {"exclude": SOURCE["excludes"]}} for row in rows]
    with in_words():
        there = {one["_id"]: one for one in index.client.mget(body={"docs": wanted})["docs"]}
    return [row | {"_source": there[row["_id"]]["_source"]} for row in rows]


def _next(ask: Ask, rows: Sequence[Mapping[str, Any]]) -> Cursor | None:
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
