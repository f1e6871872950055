"""Python and OpenSearch see the same words in any text, whatever the script and however its letters are made."""

import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from lexel.encoders.vocabulary.tokenize import compositions, words
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.mappings import index_body

Analyze = Callable[[str], list[str]]
# Typed text: letters of many scripts, capitals without small ones of their own, marks, and what stands between words.
TYPED = st.sampled_from(
    "aAeEiIıİoOzZßẞſKÅΣσςΐΰǅŉéÉơƯệẬ"
    "\u0300\u0301\u0302\u0303\u0307\u0308\u0309\u031b\u0323\u0327\u0345"
    "иЙйІї"
    "דְּג"
    "كَلْب"
    "कुत्ताँ्ज़"
    "สุนัขน้ำ"
    "கோ"
    "犬日ガが\u3099"
    "한글\u1112\u1161\u11ab"
    " 019½Ⅳ①٣'’‘_-.|@#\u200d\ufe0f🐕"
)
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn", "Co"])


@pytest.fixture(scope="module")
def analyze(client: OpenSearch) -> Iterator[Analyze]:
    """The index's analyzer without what it knows of a vocabulary: every word of a text."""
    body = index_body(dim=4, terms=(), forms={}, engine="lucene", shards=1, metadata={}, about={})
    own = body["settings"]["index"]
    own["analyze.max_token_count"] = 1_000_000
    whole = own["analysis"]["analyzer"]["vocabulary"]
    own["analysis"]["analyzer"]["words"] = whole | {"filter": whole["filter"][:1]}
    client.indices.create(index="analyzer-any", body=body)

    def tokens(text: str) -> list[str]:
        answer = client.indices.analyze(index="analyzer-any", body={"analyzer": "words", "text": text})
        return [token["token"] for token in answer["tokens"]]

    yield tokens
    client.indices.delete(index="analyzer-any")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(TYPED, max_size=12) | st.text(ASSIGNED, max_size=8), max_size=6).map(" ".join))
@example("İSTANBUL'DA KIRMIZI IŞIK")
@example("e\u0302\u0323 e\u0323\u0302 ê\u0323 ẹ\u0302 Ệ")
def test_the_same_words_in_any_text(analyze: Analyze, text: str) -> None:
    assert analyze(text) == words(text)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_same_words_with_every_character_there_is(analyze: Analyze, form: str) -> None:
    there = [chr(code) for code in range(1, 0x30000) if unicodedata.category(chr(code)) not in {"Cs", "Cn", "Co"}]
    for start in range(0, len(there), 20_000):
        text = unicodedata.normalize(form, " ".join(f"x{c}y {c}" for c in there[start : start + 20_000]))  # type: ignore[arg-type]
        assert analyze(text) == words(text)


def test_capitals_and_marks_are_those_of_the_same_word() -> None:
    assert words("İKİ KÖPEK") == words("iki ko\u0308pek") == ["iki", "köpek"]
    assert words("ΣΊΣΥΦΟΣ") == ["σίσυφοσ"]
    assert words("हिन्दी ภาษาไทย") == ["हिन्दी", "ภาษาไทย"]
    assert words("❤️ 1️⃣") == ["1️⃣"]


def test_english_and_accents_are_as_they_always_were() -> None:
    text = "The dogs' ball; a GIRL'S naïve café, x-ray 3.5 snow_ball Straße"
    assert words(text) == "the dogs ball a girl's naïve café x ray 3 5 snow ball straße".split()  # noqa: SIM905


def test_the_file_of_compositions_is_that_of_python(client: OpenSearch) -> None:
    body = index_body(dim=4, terms=(), forms={}, engine="lucene", shards=1, metadata={}, about={})
    rules = body["settings"]["index"]["analysis"]["char_filter"]["composed"]["mappings"]
    assert dict(rule.split(" => ") for rule in rules) == compositions()


def test_a_vocabulary_of_captions_whose_accents_are_apart_is_the_same() -> None:
    captions = ["Un café noir", "le CAFÉ du coin", "deux chiens à İzmir"]
    apart = [unicodedata.normalize("NFD", caption) for caption in captions]
    made = [Vocabulary.from_captions(some, min_count=1, banned=["İzmir"]) for some in (captions, apart)]
    assert made[0] == made[1]
    assert "café" in made[0].terms
    assert "izmir" not in made[0].terms
    assert made[0].count("cafe\u0301") == {"café": 1}
