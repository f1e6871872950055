"""Encodes search requests: term weights, query vector, weight of the vector."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MAX_WRITTEN, Mode, Terms, Vector, heaviest
from lexel.pipeline.search.query_syntax import ParsedQuery
from lexel.pipeline.search.request import SearchRequest

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model


@dataclass(frozen=True)
class EncodedQuery:
    """Term weights, a vector [D] (empty in modes without vectors), the vector's weight, and those of words.

    Of the term weights, `near` are of words without a term, and the nearest term that each is asked by.

    The score of an item is the dot product of the term weights, plus `weight` x cosine, plus the weight of each word in
    `written` that people wrote of it.
    """

    weights: Terms
    vector: Vector
    weight: float
    written: Terms = field(default_factory=dict)
    near: Mapping[str, Terms] = field(default_factory=dict)

    def score_of(self, engine_score: float, *, mode: Mode) -> float:
        """The score for one of OpenSearch's, which must not be negative and is that of 1 + cosine, or for a negative
        cosine without terms that of 1 / (1 - cosine).
        """
        if mode == "vector":
            return engine_score - 1 if engine_score >= 1 else 1 - 1 / engine_score
        return engine_score - self.weight if mode == "hybrid" else engine_score

    def engine_score_of(self, score: float, *, mode: Mode) -> float:
        """The inverse of `score_of`."""
        if mode == "vector":
            return 1 + score if score >= 0 else 1 / (1 - score)
        return score + self.weight if mode == "hybrid" else score


def encode_query(index: SearchIndex, request: SearchRequest) -> tuple[EncodedQuery, tuple[str, ...]]:
    """The encoded form of `request`, and its words for which the index has no term, nor one that is near enough.

    Raises BadImageError if an image cannot be decoded, NotThereError if a `like` item does not exist, ClusterError if
    the index's encoder is needed and not available.
    """
    if request.mode == "words":
        encoded, unknown = _analyzed(index, request.query)
    else:
        encoded, unknown = _encoded(index, request), index.encoder.vocabulary.unknown(request.query.text)
        near = index.encoder.near(request.query.text) if encoded.weights else {}
        encoded, unknown = replace(encoded, near=near), tuple(word for word in unknown if word not in near)
    return replace(encoded, written=_written(index, request)), unknown


def _written(index: SearchIndex, request: SearchRequest) -> dict[str, float]:
    """The weight of each word of the text in what people wrote: its boost, and the text's share beside images."""
    if not request.written_weight:
        return {}
    share = request.share if request.images or request.like else 1.0
    found: dict[str, float] = {}
    for text, boost in [(request.query.plain, 1.0), *request.query.factors.items()]:
        for word in index.written_words(text):
            found[word] = found.get(word, 0.0) + request.written_weight * share * boost
    return {word: weight for weight, word in heaviest(found)[:MAX_WRITTEN]}


def _encoded(index: SearchIndex, request: SearchRequest) -> EncodedQuery:
    query = request.query
    dense = request.mode in {"vector", "hybrid"}
    texts = [encode_text(index, query, dense=dense)] if query.text else []
    pictures = [
        *(encode_image_query(index, content) for content in request.images),
        *(encode_item(index, id_) for id_ in request.like),
    ]
    if not dense:
        pictures = [replace(one, vector=()) for one in pictures]
    encoded = combine_sides(texts, pictures, share=request.share)
    if request.mode == "vector":
        encoded = replace(encoded, weights={}, weight=1.0)
    return encoded if request.weight is None or request.mode != "hybrid" else replace(encoded, weight=request.weight)


def encode_text(index: SearchIndex, query: ParsedQuery, *, dense: bool) -> EncodedQuery:
    """A text as a query: its terms, and with `dense` its vector, which needs the networks."""
    encoder = index.encoder
    weights = _expanded(index, query.text) if encoder.expands else encoder.query(query.text)
    vector = index.text_vector(query.text) if dense else ()
    return EncodedQuery(apply_boosts(weights, query, encoder.query), vector, encoder.vector_weight("text"))


def _expanded(index: SearchIndex, text: str) -> dict[str, float]:
    with index.busy:
        return index.model.queries([text])[0]


def encode_image_query(index: SearchIndex, content: bytes) -> EncodedQuery:
    """An image, from its bytes, as a query. Raises BadImageError if it cannot be decoded."""
    with index.busy:
        encoded = encode_picture(index.model, content)
    weights = index.encoder.picture_query(encoded.terms[0])
    return EncodedQuery(weights, encoded.vectors[0].tolist(), index.encoder.vector_weight("image"))


def encode_item(index: SearchIndex, id_: str) -> EncodedQuery:
    """An item of the index as a query, with its stored terms and vector; needs no networks."""
    stored = index.item(id_, fields=("terms", "vector"))
    weights = index.encoder.picture_query(stored["terms"]) if index.side == "image" else stored["terms"]
    return EncodedQuery(weights, stored["vector"], index.encoder.vector_weight(index.side))


def encode_picture(model: "Model", content: bytes) -> "Encoded":
    """The vector and terms of one image. Raises BadImageError if it cannot be decoded."""
    from lexel.pipeline.images.decoder_pool import decode

    return model.images(model.pixels(decode(content, least=model.min_input_side).rows)[None])


def _analyzed(index: SearchIndex, query: ParsedQuery) -> tuple[EncodedQuery, tuple[str, ...]]:
    """The terms of the query by OpenSearch's analyzer, so that scores can be explained without an encoder."""
    read = index.analyzed(query.text)
    weights = apply_boosts(read.weights, query, lambda text: index.analyzed(text).weights)
    return EncodedQuery(weights, (), 0.0, near=read.near), read.unknown


def blend(parts: Sequence[tuple[EncodedQuery, float]]) -> EncodedQuery:
    """One query from several with their shares: the score is the weighted mean of the scores.

    Scores of image and text queries have different scales. Each is divided by its vector's weight before averaging, so
    that the vectors' parts are cosines.
    """
    if len(parts) == 1:
        return parts[0][0]
    total = sum(share for _, share in parts) or 1.0
    shares = [share / total for _, share in parts]
    encoded = [one for one, _ in parts]
    weight = sum(q.weight * share for q, share in zip(encoded, shares, strict=True))
    weights: dict[str, float] = {}
    for one, share in zip(encoded, shares, strict=True):
        # Without vectors the scales are unknown: terms are used as they are.
        size = weight / one.weight if one.weight else 1.0
        for term, own in one.weights.items():
            weights[term] = weights.get(term, 0.0) + share * size * own
    vectors = [[share * x for x in q.vector] for q, share in zip(encoded, shares, strict=True)]
    return EncodedQuery(weights, [sum(column) for column in zip(*vectors, strict=True)], weight)


def combine_sides(texts: Sequence[EncodedQuery], pictures: Sequence[EncodedQuery], *, share: float) -> EncodedQuery:
    """One query from texts and images: `share` (0 to 1) is divided among the texts, the rest among the images."""
    if not pictures:
        return blend([(one, 1.0) for one in texts])
    if not texts:
        return blend([(one, 1.0) for one in pictures])
    return blend(
        [(one, share / len(texts)) for one in texts] + [(one, (1 - share) / len(pictures)) for one in pictures]
    )


def apply_boosts(weights: Terms, query: ParsedQuery, terms_of: Callable[[str], Terms]) -> dict[str, float]:
    """`weights` of the query's text with its boosts (`dog^2`) applied; `terms_of` counts the terms of a text."""
    found, counts = dict(weights), terms_of(query.text) if query.factors else {}
    for word, factor in query.factors.items():
        for term, times in terms_of(word).items():
            once = found.get(term, counts[term]) / counts[term]
            found[term] = found.get(term, 0.0) + (factor - 1) * times * once
    return found
