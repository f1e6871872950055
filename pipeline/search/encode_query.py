"""A search request encoded: term weights, query vector, weight of the vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lexel.pipeline.search.index import Index
from lexel.pipeline.search.query_dsl import Terms, Vector
from lexel.pipeline.search.query_syntax import Line, parse_line
from lexel.pipeline.search.request import Ask

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model


@dataclass(frozen=True)
class Question:
    """An item scores the sum of `weights` x its own, and in hybrid `weight` x (1 + cosine of `vector` and its own).

    The vector is empty where none is asked for.
    """

    weights: Terms
    vector: Vector
    weight: float


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


def blended(parts: Sequence[tuple[Question, float]]) -> Question:
    """One question of several: an item scores the mean of its scores for each, by their shares.

    Scores of a picture and of a sentence are not of one size: before they are averaged each is divided by the weight of
    its vector, which makes cosines of both.
    """
    if len(parts) == 1:
        return parts[0][0]
    total = sum(share for _, share in parts) or 1.0
    shares = [share / total for _, share in parts]
    questions = [question for question, _ in parts]
    weight = sum(q.weight * share for q, share in zip(questions, shares, strict=True))
    weights: dict[str, float] = {}
    for question, share in zip(questions, shares, strict=True):
        # With no vector in the score there is nothing to compare by: terms count as they are.
        size = weight / question.weight if question.weight else 1.0
        for term, own in question.weights.items():
            weights[term] = weights.get(term, 0.0) + share * size * own
    vectors = [[share * x for x in q.vector] for q, share in zip(questions, shares, strict=True)]
    return Question(weights, [sum(column) for column in zip(*vectors, strict=True)], weight)


def sided(texts: Sequence[Question], pictures: Sequence[Question], *, share: float) -> Question:
    """Texts and pictures in one question: the texts have `share` of it, and each side's own share alike."""
    if not pictures:
        return blended([(one, 1.0) for one in texts])
    if not texts:
        return blended([(one, 1.0) for one in pictures])
    return blended(
        [(one, share / len(texts)) for one in texts] + [(one, (1 - share) / len(pictures)) for one in pictures]
    )


def factored(weights: Terms, line: Line, terms_of: Callable[[str], Terms]) -> dict[str, float]:
    """`weights` of the line's text with its factors at work; `terms_of` counts the terms of a text."""
    found, counts = dict(weights), terms_of(line.text) if line.factors else {}
    for word, factor in line.factors.items():
        for term, times in terms_of(word).items():
            once = found.get(term, counts[term]) / counts[term]
            found[term] = found.get(term, 0.0) + (factor - 1) * times * once
    return found
