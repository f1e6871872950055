"""Python and OpenSearch must see the same terms in every text."""

import json
from collections import Counter
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.mappings import index_body
from lexel.pipeline.scenes import scene

ODD = [
    "The dogs' ball; a GIRL'S hat, the boy’s bike",
    "x-ray e.g. 3.5 snow_ball dog|cat dog/cat dog.cat",
    "İstanbul STRASSE Straße naïve café ΣΊΣΥΦΟΣ",
    "日本語 の 犬 dog",
    "dog\tdog\ndog\u00a0dog\u200bdog",
    "''dog'' ’dog’ o'clock rock'n'roll dogs'",
    "",
    "!!! ...",
]


def check(client: OpenSearch, name: str, captions: list[str]) -> int:
    vocabulary = Vocabulary.from_captions(captions, min_count=3)
    body = index_body(
        dim=4, terms=vocabulary.terms, forms=vocabulary.forms, engine="lucene", shards=1, metadata={}, about={}
    )
    body["settings"]["index"]["analyze.max_token_count"] = 1_000_000
    client.indices.create(index=name, body=body)
    try:
        for start in range(0, len(captions), 2000):
            some = captions[start : start + 2000]
            answer = client.indices.analyze(index=name, body={"analyzer": "vocabulary", "text": some})
            assert Counter(token["token"] for token in answer["tokens"]) == sum_counts(vocabulary, some)
            ordered = [term for text in some for w in words_of(text) if (term := vocabulary.term(w))]
            assert [token["token"] for token in answer["tokens"]] == ordered
    finally:
        client.indices.delete(index=name)
    return len(captions)


def test_words_with_clitics_are_those_without(client: OpenSearch) -> None:
    made = Vocabulary(
        ("dog", "rock's"), {"dog": "dog", "dogs": "dog", "rock's": "rock's", "rock": "rock's"}, (0.1, 0.1)
    )
    near = {"hound": "dog|115", "rocks": "rock's|100"}
    body = index_body(
        dim=4, terms=made.terms, forms=made.forms, engine="lucene", shards=1, metadata={}, about={}, near=near
    )
    client.indices.create(index="analyzer-clitics", body=body)
    try:
        for text, own, asked in (
            ("a dog's", ["dog"], ["dog"]),
            ("the DOGS' dogs's dog’ll", ["dog"] * 3, ["dog"] * 3),
            ("rock's", ["rock's"], ["rock's"]),  # a term may end so
            ("it's don't cat's", [], []),
            ("hound’s rocks's", [], ["dog", "rock's"]),
        ):
            for analyzer, wanted in (("vocabulary", own), ("asking", asked)):
                answer = client.indices.analyze(index="analyzer-clitics", body={"analyzer": analyzer, "text": text})
                assert [token["token"] for token in answer["tokens"]] == wanted
            assert sum(made.count(text).values()) == len(own)
        assert made.unknown("it's a cat's hound’s don't") == ("cat's", "hound’s")
    finally:
        client.indices.delete(index="analyzer-clitics")


def words_of(text: str) -> list[str]:
    from lexel.encoders.vocabulary.tokenize import words

    return words(text)


def sum_counts(vocabulary: Vocabulary, texts: list[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for text in texts:
        total.update(vocabulary.count(text))
    return total


def test_the_same_tokens_for_drawn_scenes_and_odd_texts(client: OpenSearch) -> None:
    captions = [caption for seed in range(500) for caption in scene(seed).captions]
    assert check(client, "analyzer-scenes", captions + ODD) > 1500


def test_the_same_tokens_for_every_caption_of_flickr8k(client: OpenSearch, shared: Path) -> None:
    lines = (shared / "data/flickr8k/captions.jsonl").read_text().splitlines()
    captions = [caption for line in lines for caption in json.loads(line)["captions"]]
    assert check(client, "analyzer-flickr", captions) == 35_000


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_one_by_one(client: OpenSearch, text: str) -> None:
    vocabulary = Vocabulary(
        ("dog", "cat", "girl"),
        {"dog": "dog", "dogs": "dog", "cat": "cat", "girl": "girl", "girl's": "girl"},
        (0.3, 0.2, 0.1),
    )
    body = index_body(
        dim=4, terms=vocabulary.terms, forms=vocabulary.forms, engine="lucene", shards=1, metadata={}, about={}
    )
    client.indices.create(index="analyzer-odd", body=body)
    try:
        answer = client.indices.analyze(index="analyzer-odd", body={"analyzer": "vocabulary", "text": text})
        assert Counter(token["token"] for token in answer["tokens"]) == Counter(vocabulary.count(text))
    finally:
        client.indices.delete(index="analyzer-odd")
