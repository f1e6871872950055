"""The vocabulary: which forms mean which term, what is refused, and the same hash wherever it is read."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary

CAPTIONS = [
    "Two dogs run through the snow .",
    "A dog is running in the snow .",
    "The man is sitting on a bench beside two men",
    "Men sit outside a big building",
    "A man sits near buildings and a building",
    "A girl's dog watches a playing child; children play, and a child played",
    "a hiker , climbing , will climb",
]
SMALL = Vocabulary(("dog", "snow"), {"dogs": "dog", "dog": "dog", "snow": "snow"}, (0.5, 0.25))


@pytest.fixture(scope="module")
def built() -> Vocabulary:
    return Vocabulary.from_captions(CAPTIONS, min_count=1)


@pytest.fixture(scope="module")
def flickr(shared: Path) -> list[str]:
    lines = (shared / "data/flickr8k/captions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [caption for row in rows if row["split"] == "train" for caption in row["captions"]]


@pytest.fixture(scope="module")
def flickr_vocabulary(flickr: list[str]) -> Vocabulary:
    return Vocabulary.from_captions(flickr)


def naive_shares(vocabulary: Vocabulary, captions: list[str]) -> list[float]:
    """The share of captions that hold each term, counted the slow way."""
    held = [{vocabulary.forms[w] for w in words(caption) if w in vocabulary.forms} for caption in captions]
    return [sum(term in terms for terms in held) / len(captions) for term in vocabulary.terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two DOGS, running!", ["two", "dogs", "running"]),
        ("the girl's boy’s don't", ["the", "girl's", "boy’s", "don't"]),
        ("snake_case and t-shirt 4x4", ["snake", "case", "and", "t", "shirt", "4x4"]),
        ("'quoted' o'clock'", ["quoted", "o'clock"]),
        ("Ein Mädchen läuft, 女の子", ["ein", "mädchen", "läuft", "女の子"]),
        (" .,|\n", []),
    ],
)
def test_words_are_lower_case_letters_and_digits(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    found = words(text)
    assert all(word and not set(word) & set(" .|_\n") for word in found)
    assert words(" ".join(found)) == found


@given(st.text(), st.text())
def test_words_of_two_texts_are_those_of_each(one: str, other: str) -> None:
    assert words(f"{one} {other}") == words(one) + words(other)


@given(st.lists(st.sampled_from(["dog", "dogs", "snow", "cat", "Dogs!", "the", ".", "SNOW"])), st.text())
def test_a_count_of_a_concatenation_is_the_sum_of_the_counts(tokens: list[str], other: str) -> None:
    text = " ".join(tokens)
    assert Counter(SMALL.count(f"{text}\n{other}")) == Counter(SMALL.count(text)) + Counter(SMALL.count(other))


def test_a_count_folds_the_forms_of_a_term() -> None:
    assert SMALL.count("Dogs and a dog in the snow, with a cat") == {"dog": 2, "snow": 1}
    assert SMALL.count("") == {}


@pytest.mark.parametrize(
    ("form", "term"),
    [
        ("dogs", "dog"),
        ("dog", "dog"),
        ("men", "man"),
        ("man", "man"),
        ("sitting", "sit"),
        ("sits", "sit"),
        ("running", "run"),
        ("playing", "play"),
        ("played", "play"),
        ("children", "child"),
        ("building", "building"),
        ("buildings", "building"),
        ("girl's", "girl"),
        ("climbing", "climb"),
        ("two", "two"),
    ],
)
def test_a_form_means_its_dictionary_word(built: Vocabulary, form: str, term: str) -> None:
    assert built.forms[form] == term


@pytest.mark.parametrize("word", ["the", "a", "is", "on", "and", "of", "through"])
def test_stop_words_are_no_terms(built: Vocabulary, word: str) -> None:
    assert word not in built.forms


def test_other_stop_words_may_be_given() -> None:
    kept = Vocabulary.from_captions(CAPTIONS, min_count=1, stop_words=["dog"])
    assert "the" in kept.terms
    assert "dogs" not in kept.forms


def test_bare_numbers_and_single_letters_are_no_terms() -> None:
    found = Vocabulary.from_captions(["a b 7 42 4x4 tv"], min_count=1)
    assert set(found.terms) == {"4x4", "tv"}


def test_each_term_is_a_form_of_itself_and_each_form_has_a_term(built: Vocabulary) -> None:
    assert all(built.forms[term] == term for term in built.terms)
    assert set(built.forms.values()) == set(built.terms)
    assert [built.index[term] for term in built.terms] == list(range(len(built)))


def test_document_frequencies_are_shares_of_captions(built: Vocabulary) -> None:
    assert list(built.document_frequency) == naive_shares(built, CAPTIONS)


def test_terms_come_by_frequency_then_by_name(built: Vocabulary) -> None:
    shares = dict(zip(built.terms, built.document_frequency, strict=True))
    assert list(built.terms) == sorted(built.terms, key=lambda term: (-shares[term], term))


@pytest.mark.parametrize("least", [1, 2, 3, 8])
def test_min_count_is_a_number_of_captions(built: Vocabulary, least: int) -> None:
    kept = Vocabulary.from_captions(CAPTIONS, min_count=least)
    shares = zip(built.terms, built.document_frequency, strict=True)
    assert list(kept.terms) == [term for term, share in shares if round(share * len(CAPTIONS)) >= least]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_size_keeps_the_commonest(built: Vocabulary, size: int) -> None:
    kept = Vocabulary.from_captions(CAPTIONS, min_count=1, size=size)
    assert kept.terms == built.terms[:size]
    assert set(kept.forms.values()) == set(kept.terms)


def test_no_captions_make_an_empty_vocabulary() -> None:
    assert len(Vocabulary.from_captions([])) == 0


@pytest.mark.parametrize("term", ["d.og", "hot dog", "a|b", "", "line\nbreak", "nul\x00", "wide\u2003space"])
def test_a_term_that_could_not_be_stored_is_refused(term: str) -> None:
    with pytest.raises(EncoderError, match="cannot be stored"):
        Vocabulary((term,), {term: term}, (0.5,))


@pytest.mark.parametrize(
    ("terms", "forms", "shares", "says"),
    [
        (("dog", "dog"), {"dog": "dog"}, (0.1, 0.1), "stand once"),
        (("dog",), {"dog": "dog"}, (), "one document frequency"),
        (("dog",), {"dog": "dog", "cat": "cat"}, (0.1,), "not a term"),
        (("dog",), {}, (0.1,), "form of itself"),
        (("dog", "cat"), {"dog": "cat", "cat": "cat"}, (0.1, 0.1), "form of itself"),
        (("dog",), {"dog": "dog"}, (1.5,), "between 0 and 1"),
        (("dog",), {"dog": "dog"}, (math.nan,), "between 0 and 1"),
    ],
)
def test_a_broken_vocabulary_is_refused(
    terms: tuple[str, ...], forms: dict[str, str], shares: tuple[float, ...], says: str
) -> None:
    with pytest.raises(EncoderError, match=says):
        Vocabulary(terms, forms, shares)


def test_a_saved_vocabulary_reads_back_equal(built: Vocabulary, tmp_path: Path) -> None:
    built.save(tmp_path / "vocabulary.json")
    again = Vocabulary.load(tmp_path / "vocabulary.json")
    assert again == built
    assert again.hash == built.hash
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "vocabulary.json").read_bytes()


def test_the_hash_does_not_depend_on_how_the_forms_are_ordered_or_the_file_is_written(tmp_path: Path) -> None:
    turned = Vocabulary(
        SMALL.terms, {form: SMALL.forms[form] for form in sorted(SMALL.forms, reverse=True)}, SMALL.document_frequency
    )
    assert turned.hash == SMALL.hash
    whole = Vocabulary(("dog",), {"dog": "dog"}, (1.0,))
    (tmp_path / "v.json").write_text('{"forms":{"dog":"dog"},"document_frequency":[1],"terms":["dog"]}')
    assert Vocabulary.load(tmp_path / "v.json").hash == whole.hash


@pytest.mark.parametrize(
    "other",
    [
        Vocabulary(("snow", "dog"), SMALL.forms, (0.25, 0.5)),
        Vocabulary(SMALL.terms, {**SMALL.forms, "puppy": "dog"}, SMALL.document_frequency),
        Vocabulary(SMALL.terms, SMALL.forms, (0.5, 0.26)),
    ],
)
def test_the_hash_changes_with_what_it_means(other: Vocabulary) -> None:
    assert other.hash != SMALL.hash


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"terms": ["dog"], "forms": {"dog": "dog"}, "document_frequency": ["often"]}',
        '{"terms": [7], "forms": {"dog": "dog"}, "document_frequency": [0.5]}',
        '{"terms": ["dog"], "forms": ["dog"], "document_frequency": [0.5]}',
    ],
)
def test_a_file_that_is_no_vocabulary_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(text)
    with pytest.raises(EncoderError, match="is not a vocabulary") as caught:
        Vocabulary.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"nowhere\.json is not a vocabulary"):
        Vocabulary.load(tmp_path / "nowhere.json")


def test_flickr8k_makes_some_thousand_terms(flickr: list[str], flickr_vocabulary: Vocabulary) -> None:
    assert 1500 < len(flickr_vocabulary) < 3500
    assert len(flickr_vocabulary.forms) > len(flickr_vocabulary)
    least = min(flickr_vocabulary.document_frequency) * len(flickr)
    assert round(least) == 5
    assert not STOP_WORDS & set(flickr_vocabulary.forms)


def test_flickr8k_has_the_common_words_first(flickr_vocabulary: Vocabulary) -> None:
    common = {"dog", "man", "boy", "girl", "woman", "run", "play", "white", "black", "two"}
    assert common <= set(flickr_vocabulary.terms[:15])
    expected = {
        "dogs": "dog",
        "men": "man",
        "sitting": "sit",
        "building": "building",
        "jumps": "jump",
        "snowy": "snowy",
    }
    assert {form: flickr_vocabulary.forms[form] for form in expected} == expected


def test_flickr8k_document_frequencies_are_those_of_a_naive_count(
    flickr: list[str], flickr_vocabulary: Vocabulary
) -> None:
    some = flickr[:2000]
    few = Vocabulary.from_captions(some, min_count=20)
    assert list(few.document_frequency) == naive_shares(few, some)
    dogs = sum(bool({"dog", "dogs", "dog's"} & set(words(caption))) for caption in flickr) / len(flickr)
    assert flickr_vocabulary.document_frequency[flickr_vocabulary.index["dog"]] >= dogs
