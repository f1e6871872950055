"""Short queries: which phrases of captions are asked, and which pictures answer them."""

from pathlib import Path

import numpy as np
import pytest

from lexel.encoders import open_encoder
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet
from lexel.pipeline.evaluate.queries.short_queries import noun_phrases, short_queries

SAID = [
    ("a.jpg", "A black dog is running in the snow."),
    ("a.jpg", "The dog runs."),
    ("b.jpg", "Two black dogs and a red ball"),
    ("c.jpg", "a black dog on a bench"),
    ("d.jpg", "A man throws the red ball to his dog"),
    ("e.jpg", "a woman holds a red ball"),
]


def items(uris: list[str], texts: list[str | None], labels: list[str | None]) -> EncodedItems:
    count = len(uris)
    ids = [f"id{i}" for i in range(count)]
    return EncodedItems(ids, uris, texts, labels, [{}] * count, np.zeros((count, 256), np.float32))


def collection(said: list[tuple[str, str]]) -> EvaluationSet:
    uris = sorted({uri for uri, _ in said})
    pictures = items(uris, [None] * len(uris), [None] * len(uris))
    captions = items([uri for uri, _ in said], [text for _, text in said], [None] * len(said))
    return EvaluationSet("captions.jsonl", None, pictures, captions, Path(), Path(), 0)


@pytest.mark.parametrize(
    ("caption", "phrases"),
    [
        ("A black dog is running in the snow", ["black dog", "dog", "snow"]),
        ("The dog runs", ["dog runs", "runs"]),  # by its ending it may be a noun: "the dog runs are closed"
        ("a dog runs through the grass", ["grass"]),
        ("a big brown dog", []),
        ("a bus and a dressed boy", ["bus", "dressed boy", "boy"]),
        ("the tennis players", ["tennis players", "players"]),
        ("a smiling", []),
    ],
)
def test_a_phrase_stands_between_a_determiner_and_its_end(caption: str, phrases: list[str]) -> None:
    assert [" ".join(phrase) for phrase in noun_phrases(words(caption))] == phrases


def test_every_picture_whose_captions_hold_a_phrase_is_right() -> None:
    direction = short_queries(collection(SAID), open_encoder("lexel-tiny"), device="cpu")
    right = {query.text: set(direction.right[query.id]) for query in direction.queries}
    assert right == {
        "dog": {"id0", "id1", "id2", "id3"},
        "black dog": {"id0", "id1", "id2"},
        "red ball": {"id1", "id3", "id4"},
        "ball": {"id1", "id3", "id4"},
    }
    assert [query.terms for query in direction.queries if query.text == "black dog"] == [{"black": 1.0, "dog": 1.0}]
    assert all(np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-3) for query in direction.queries)


def test_labels_are_queries_where_there_are_no_captions() -> None:
    pictures = items(["a.jpg", "b.jpg", "c.jpg"], [None] * 3, ["sea_horse", "pizza", "sea_horse"])
    labelled = EvaluationSet("labels.jsonl", None, pictures, None, Path(), None, 0)
    direction = short_queries(labelled, open_encoder("lexel-tiny"), device="cpu")
    right = {query.text: set(direction.right[query.id]) for query in direction.queries}
    assert right == {"sea horse": {"id0", "id2"}, "pizza": {"id1"}}


def test_few_captions_are_refused() -> None:
    with pytest.raises(ConfigError, match="No noun phrase stands in the captions of 3 pictures"):
        short_queries(collection(SAID[:2]), open_encoder("lexel-tiny"), device="cpu")
