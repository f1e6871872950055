"""Encodes search requests: term weights, query vector, weight of the vector."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from lexel.encoders.encoder import QUERY_TERMS
from lexel.encoders.term_weights import TOP_TERMS
from lexel.pipeline.search.feedback.rocchio import MOST_WORDS, FeedbackItem, Moves, Rocchio, length
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MAX_WRITTEN, Mode, Terms, Vector, heaviest
from lexel.pipeline.search.query_syntax import ParsedQuery
from lexel.pipeline.search.request import SearchRequest

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model


# Of a difference of two 32-bit numbers; what is behind them would be noise.
_DIGITS = 6


@dataclass(frozen=True)
class EncodedQuery:
    """Term weights, a vector [D] (empty in modes without vectors), the vector's weight, and those of words.

    Of the term weights, `near` are of words without a term, and the nearest term that each is asked by. `moves` are the
    words that examples added to them, and those that they took. `heard` is the number of words that the vector is made
    of, where the text has more.

    The score of an item is the dot product of the term weights, plus `weight` x cosine, plus the weight of each word in
    `written` that people wrote of it.
    """

    weights: Terms
    vector: Vector
    weight: float
    written: Terms = field(default_factory=dict)
    near: Mapping[str, Terms] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    heard: int | None = None

    def score_of(self, engine_score: float, *, mode: Mode) -> float:
        """The score for one of OpenSearch's, which must not be negative and is that of 1 + cosine, or for a negative
        cosine without terms that of 1 / (1 - cosine).
        """
        if mode == "vector":
            return round(engine_score - 1 if engine_score >= 1 else 1 - 1 / engine_score, _DIGITS)
        return round(engine_score - self.weight, _DIGITS) if mode == "hybrid" else engine_score

    def engine_score_of(self, score: float, *, mode: Mode) -> float:
        """The inverse of `score_of`."""
        if mode == "vector":
            return 1 + score if score >= 0 else 1 / (1 - score)
        return score + self.weight if mode == "hybrid" else score


def encode_query(index: SearchIndex, request: SearchRequest) -> tuple[EncodedQuery, tuple[str, ...]]:
    """The encoded form of `request`, and its words for which the index has no term, nor one that is near enough.

    Raises BadImageError if an image cannot be decoded, NotThereError if a `like` or `unlike` item does not exist,
    ClusterError if the index's encoder is needed and not available.
    """
    typed, unknown = _typed(index, request)
    rocchio = Rocchio(_liked(index, request), _stored_examples(index, request.unlike), request.share)
    encoded = _moved(index, request, typed, rocchio) if rocchio.liked or rocchio.unliked else typed
    if request.mode == "vector":
        encoded = replace(encoded, weights={}, weight=1.0, moves=Moves())
    if request.mode == "hybrid" and request.weight is not None:
        encoded = replace(encoded, weight=request.weight)
    if request.written_weight:
        encoded = replace(encoded, written=_written(index, request, rocchio.query_factor))
    return encoded, unknown


def _typed(index: SearchIndex, request: SearchRequest) -> tuple[EncodedQuery, tuple[str, ...]]:
    """The text as a query, empty if there is none, and its words without a term."""
    query = request.query
    if request.mode == "words":
        return _analyzed(index, query)
    unknown = index.encoder.vocabulary.unknown(query.text)
    if not query.said:
        return EncodedQuery({}, (), 0.0), unknown
    encoded = encode_text(index, query, dense=request.mode in {"vector", "hybrid"})
    near = index.encoder.near(query.text) if encoded.weights else {}
    if near:
        encoded = replace(encoded, near=near)
    return encoded, tuple(word for word in unknown if word not in near)


def _written(index: SearchIndex, request: SearchRequest, factor: float) -> dict[str, float]:
    """The weight of each word of the text in what people wrote: its boost, and the `factor` of a typed word."""
    found: dict[str, float] = {}
    for text, boost in [(request.query.plain, 1.0), *request.query.factors.items()]:
        for word in index.written_words(text):
            found[word] = found.get(word, 0.0) + request.written_weight * factor * boost
    return {word: weight for weight, word in heaviest(found)[:MAX_WRITTEN]}


def _moved(index: SearchIndex, request: SearchRequest, typed: EncodedQuery, rocchio: Rocchio) -> EncodedQuery:
    """The query moved by examples. Words that stand in it with a factor or a minus stay as they are typed."""
    query, dense = request.query, request.mode in {"vector", "hybrid"}
    marked = " ".join([*query.factors, *query.banned])
    fixed = index.analyzed(marked).weights if request.mode == "words" else index.encoder.query(marked)
    # A text of nothing but words of factor 0 is none.
    texted = bool(query.said)
    size = length(typed.weights)
    most = MOST_WORDS if index.side == "image" else QUERY_TERMS
    moves = rocchio.moves(typed.weights, length=size or rocchio.liked_length, fixed=fixed, most=most)
    weights = {word: rocchio.query_factor * weight for word, weight in typed.weights.items()}
    for word, weight in moves.gained.items():
        weights[word] = weights.get(word, 0.0) + rocchio.unit * weight
    vector = rocchio.vector(typed.vector if texted else None) if dense else ()
    weight = typed.weight if texted else _picture_weight(index, request)
    return replace(typed, weights=weights, vector=vector, weight=weight, moves=moves)


def _picture_weight(index: SearchIndex, request: SearchRequest) -> float:
    """The vector's weight for a query of images and items alone: the mean of theirs."""
    if request.mode == "words":
        return 0.0
    sides = ["image"] * len(request.images) + [index.side] * len(request.like)
    return sum(map(index.encoder.vector_weight, sides)) / len(sides)


def _liked(index: SearchIndex, request: SearchRequest) -> list[FeedbackItem]:
    return [*(_image_example(index, content) for content in request.images), *_stored_examples(index, request.like)]


def _image_example(index: SearchIndex, content: bytes) -> FeedbackItem:
    """An image, from its bytes. Raises BadImageError if it cannot be decoded."""
    with index.busy:
        encoded = encode_picture(index.model, content)
    terms = encoded.terms[0]
    # Captions have few words: the first ones of an image would miss most of them.
    asked = dict(islice(terms.items(), TOP_TERMS)) if index.side == "image" else index.encoder.picture_query(terms)
    return FeedbackItem(asked, encoded.vectors[0].tolist())


def _stored_examples(index: SearchIndex, ids: Sequence[str]) -> list[FeedbackItem]:
    """Items of the index, by what is stored of them; needs no networks."""
    if not ids:
        return []
    stored = index.items(ids, fields=("terms", "top_terms", "vector"))
    which = "top_terms" if index.side == "image" else "terms"
    return [FeedbackItem({term: one["terms"][term] for term in one[which]}, one["vector"]) for one in stored]


def encode_text(index: SearchIndex, query: ParsedQuery, *, dense: bool) -> EncodedQuery:
    """A text as a query: its terms, and with `dense` its vector, which needs the networks."""
    encoder = index.encoder
    weights = _expanded(index, query.text) if encoder.expands else encoder.query(query.text)
    vector = index.text_vector(query.said) if dense else ()
    heard = index.heard(query.said) if dense else 0
    cut = heard if dense and heard < len(query.said.split()) else None
    weights = apply_boosts(weights, query, encoder.query)
    return EncodedQuery(weights, vector, encoder.vector_weight("text"), heard=cut)


def _expanded(index: SearchIndex, text: str) -> dict[str, float]:
    with index.busy:
        return index.model.queries([text])[0]


def encode_picture(model: "Model", content: bytes) -> "Encoded":
    """The vector and terms of one image. Raises BadImageError if it cannot be decoded."""
    from lexel.pipeline.images.decoder_pool import decode

    return model.images(model.pixels(decode(content, least=model.min_input_side).rows)[None])


def _analyzed(index: SearchIndex, query: ParsedQuery) -> tuple[EncodedQuery, tuple[str, ...]]:
    """The terms of the query by OpenSearch's analyzer, so that scores can be explained without an encoder."""
    read = index.analyzed(query.text)
    weights = apply_boosts(read.weights, query, lambda text: index.analyzed(text).weights)
    return EncodedQuery(weights, (), 0.0, near=read.near), read.unknown


def apply_boosts(weights: Terms, query: ParsedQuery, terms_of: Callable[[str], Terms]) -> dict[str, float]:
    """`weights` of the query's text with its boosts (`dog^2`) applied; `terms_of` counts the terms of a text."""
    found, counts = dict(weights), terms_of(query.text) if query.factors else {}
    for word, factor in query.factors.items():
        for term, times in terms_of(word).items():
            once = found.get(term, counts[term]) / counts[term]
            found[term] = found.get(term, 0.0) + (factor - 1) * times * once
    return found
