"""Whether the first words of pictures stand in their captions, and which are said too often."""

from pathlib import Path

import numpy as np
import pytest
from support.making import vocabulary

from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet
from lexel.pipeline.evaluate.word_truth import word_truth

KNOWN = vocabulary()
FIRST, SECOND, THIRD = KNOWN.terms[:3]


def collection(terms: list[list[str]], captions: list[tuple[str, ...]] | None) -> EvaluationSet:
    def items(uris: list[str], texts: list[str | None], held: list[dict[str, float]]) -> EncodedItems:
        count = len(uris)
        return EncodedItems(uris, uris, texts, [None] * count, held, np.zeros((count, 4), np.float32))

    uris = [f"{i}.jpg" for i in range(len(terms))]
    pictures = items(uris, [None] * len(uris), [dict.fromkeys(own, 1.0) for own in terms])
    if captions is None:
        return EvaluationSet("labels.jsonl", None, pictures, None, Path(), None, 0)
    texts: list[str | None] = [text for own in captions for text in own]
    owners = [uri for uri, own in zip(uris, captions, strict=True) for _ in own]
    return EvaluationSet("a.jsonl", None, pictures, items(owners, texts, [{}] * len(texts)), Path(), Path(), 0)


def test_words_are_true_where_a_caption_holds_them() -> None:
    found = word_truth(collection([[FIRST, SECOND], [THIRD, SECOND]], [(f"a {FIRST}", "it"), (SECOND,)]), KNOWN)
    assert found is not None
    assert found.first == pytest.approx(50)


def test_a_word_said_of_all_and_captioned_of_one_is_said_too_often() -> None:
    terms = [[FIRST, SECOND]] * 10
    captions = [(f"{FIRST} and {SECOND}",)] + [(FIRST,)] * 9
    found = word_truth(collection(terms, captions), KNOWN)
    assert found is not None
    assert [(one.term, one.said, one.expected) for one in found.over_said] == [(SECOND, 1.0, pytest.approx(0.1))]


def test_only_the_first_words_are_looked_at() -> None:
    many = list(KNOWN.terms[:8])
    found = word_truth(collection([many], [(" ".join(many[5:]),)]), KNOWN)
    assert found is not None
    assert found.first == 0


def test_without_captions_nothing_is_known() -> None:
    assert word_truth(collection([[FIRST]], None), KNOWN) is None
