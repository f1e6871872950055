"""Queries and relevance judgments: text to image and image to text, or image to image if there are only labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import load_model
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.encoded_items import EncodedItems, Floats, Terms
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet

Name = Literal["text_to_image", "image_to_text", "image_to_image", "short_to_image"]
Side = Literal["text", "image"]
# query id -> item id -> grade of relevance
Judgments = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Query:
    """One query: `text` is None for an image. Queries with the same `group` are about the same image.

    `near` says whether a word of the text is asked by the nearest term.
    """

    id: str
    group: str
    text: str | None
    terms: Terms
    vector: Floats
    near: bool = False


@dataclass(frozen=True)
class Direction:
    """The queries that have a relevant item, and the judgments `right`; `alone` removes the query from its results."""

    name: Name
    side: Side
    queries: Sequence[Query]
    right: Judgments
    alone: bool = False

    @property
    def captions_sought(self) -> bool:
        """Whether the results are captions."""
        return self.name == "image_to_text"


def directions(
    collection: EvaluationSet, encoder: Encoder, *, qrels: Path | None = None, device: str = "auto"
) -> list[Direction]:
    """Both directions of a captioned collection, or image to image of a labelled one.

    Without `qrels` (a TREC file: query, 0, item, grade) a caption's image, an image's captions, and images with the
    same label are relevant. Raises ConfigError if no query has a relevant item.
    """
    pictures, captions = collection.pictures, collection.captions
    if captions is None:
        right = _read(qrels, _names(pictures), _names(pictures)) if qrels else _same_label(pictures)
        return [_direction("image_to_image", "image", _picture_queries(pictures, encoder), right, qrels)]
    by_text = _by_text(pictures, captions, qrels)
    by_image = _by_image(pictures, captions, qrels) or _turned(by_text)
    texts = _text_queries(captions, encoder, device)
    return [
        _direction("text_to_image", "text", texts, by_text, qrels),
        _direction("image_to_text", "image", _picture_queries(pictures, encoder), by_image, qrels),
    ]


def _direction(name: Name, side: Side, queries: Sequence[Query], right: Judgments, qrels: Path | None) -> Direction:
    judged = [query for query in queries if any(grade > 0 for grade in right.get(query.id, {}).values())]
    if not judged:
        where = f"No judgment in {qrels} names" if qrels else "No label or caption gives"
        raise ConfigError(
            f"{where} a right answer for a query of {name.replace('_', ' ')}; items are named by id or by path, "
            "and the n-th caption of a picture, from 0, by path#n."
        )
    return Direction(name, side, judged, {query.id: right[query.id] for query in judged}, name == "image_to_image")


def _picture_queries(pictures: EncodedItems, encoder: Encoder) -> list[Query]:
    return [
        Query(id_, uri, None, encoder.picture_query(terms), vector)
        for id_, uri, terms, vector in zip(pictures.ids, pictures.uris, pictures.terms, pictures.vectors, strict=True)
    ]


def _text_queries(captions: EncodedItems, encoder: Encoder, device: str) -> list[Query]:
    texts = [text or "" for text in captions.texts]
    weights = _expanded(texts, encoder, device) if encoder.expands else map(encoder.query, texts)
    near = (bool(encoder.near(text)) for text in texts)
    rows = zip(captions.ids, captions.uris, texts, weights, captions.vectors, near, strict=True)
    return [Query(*row) for row in rows]


def _expanded(texts: Sequence[str], encoder: Encoder, device: str) -> Iterator[Terms]:
    model = load_model(encoder, device=device)
    for start in range(0, len(texts), 256):
        yield from model.queries(texts[start : start + 256])


def _by_text(pictures: EncodedItems, captions: EncodedItems, qrels: Path | None) -> Judgments:
    if qrels:
        return _read(qrels, _names(captions), _names(pictures))
    own: dict[str, dict[str, int]] = {}
    for id_, uri in zip(pictures.ids, pictures.uris, strict=True):
        own.setdefault(uri, {})[id_] = 1
    return {id_: own.get(uri, {}) for id_, uri in zip(captions.ids, captions.uris, strict=True)}


def _by_image(pictures: EncodedItems, captions: EncodedItems, qrels: Path | None) -> Judgments | None:
    """The judgments in `qrels` with images as queries, or None if there are none."""
    return (_read(qrels, _names(pictures), _names(captions)) or None) if qrels else None


def _turned(judgments: Judgments) -> Judgments:
    """The same judgments with queries and items exchanged."""
    turned: dict[str, dict[str, int]] = {}
    for query, grades in judgments.items():
        for item, grade in grades.items():
            turned.setdefault(item, {})[query] = grade
    return turned


def _same_label(pictures: EncodedItems) -> Judgments:
    by_label: dict[str, list[str]] = {}
    for id_, label in zip(pictures.ids, pictures.labels, strict=True):
        if label is not None:
            by_label.setdefault(label, []).append(id_)
    return {id_: {other: 1 for other in ids if other != id_} for ids in by_label.values() for id_ in ids}


def _names(items: EncodedItems) -> dict[str, str]:
    """Name -> id for each name that a qrels file may use: the id, an image's path, a caption's path#n."""
    if all(text is None for text in items.texts):
        return dict(zip(items.uris, items.ids, strict=True)) | {id_: id_ for id_ in items.ids}
    named: dict[str, str] = {}
    for uri, same in groupby(zip(items.uris, items.ids, strict=True), key=lambda pair: pair[0]):
        named |= {f"{uri}#{n}": id_ for n, (_, id_) in enumerate(same)}
    return named | {id_: id_ for id_ in items.ids}


def _read(path: Path, queries: Mapping[str, str], items: Mapping[str, str]) -> Judgments:
    """The judgments in a TREC file about these queries and items (name -> id); others are ignored."""
    import ir_measures

    found: dict[str, dict[str, int]] = {}
    try:
        for qrel in ir_measures.read_trec_qrels(str(path)):
            if qrel.query_id in queries and qrel.doc_id in items:
                found.setdefault(queries[qrel.query_id], {})[items[qrel.doc_id]] = int(qrel.relevance)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The judgments {path} cannot be read ({error}); a line is `query 0 item grade`, in four columns."
        ) from error
    return found


def mean_query_terms(direction: Direction) -> float:
    """The mean number of terms per query."""
    return float(np.mean([len(query.terms) for query in direction.queries]))
