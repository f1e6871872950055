"""Words that a vocabulary does not have, asked by the nearest that it has."""

from pathlib import Path

import pytest
from support.making import random_encoder

from lexel.encoders import EncoderError, open_encoder
from lexel.encoders.encoder import Encoder, read_encoder
from lexel.encoders.registry import BUILT_IN
from lexel.encoders.term_weights import FREQUENCY_SCALE
from lexel.encoders.vocabulary.near_words import NEAR_WORDS, NearWords
from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.tokenize import is_word

TABLE = NearWords(
    {"taxi": {"car": 0.8125, "bus": 0.6875}, "quartz": {"stone": 0.5}, "café": {"bar": 0.75}}, least=0.6484375
)


def test_a_word_is_asked_by_the_nearest_and_what_is_too_far_is_only_offered() -> None:
    assert TABLE.asked("taxi") == {"car": 0.8125}
    assert TABLE.offered("taxi") == ("car", "bus")
    assert TABLE.asked("quartz") == {}
    assert TABLE.offered("quartz") == ("stone",)
    assert (TABLE.asked("zorblax"), TABLE.offered("zorblax")) == ({}, ())
    assert TABLE.all_asked() == {"taxi": ("car", 0.8125), "café": ("bar", 0.75)}


def test_the_file_gives_the_same_table(tmp_path: Path) -> None:
    for table in (TABLE, NearWords()):
        table.save(tmp_path / NEAR_WORDS)
        assert NearWords.load(tmp_path / NEAR_WORDS) == table
    assert NearWords.load(tmp_path / "nothing.npz") == NearWords()


@pytest.mark.parametrize("content", [b"", b"not a table", b"PK\x03\x04 cut short"])
def test_a_broken_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NEAR_WORDS).write_bytes(content)
    with pytest.raises(EncoderError, match="remove it, or get it anew"):
        NearWords.load(tmp_path / NEAR_WORDS)


def test_another_vocabulary_keeps_what_it_can_use() -> None:
    other = TABLE.among(terms=("bus", "stone"), forms={"bus", "quartz", "stone"})
    assert other.terms_of == {"taxi": {"bus": 0.6875}}
    assert other.asked("taxi") == {"bus": 0.6875}


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    folder = random_encoder(tmp_path / "encoder").folder
    terms = read_encoder(folder).vocabulary.terms
    NearWords({"taxi": {terms[0]: 0.75}, "quartz": {terms[1]: 0.5}}, least=0.65).save(folder / NEAR_WORDS)
    return read_encoder(folder)


def test_a_query_counts_known_words_and_weighs_near_ones(encoder: Encoder) -> None:
    first, second = encoder.vocabulary.terms[:2]
    assert encoder.query(f"{first} {second} zorblax") == {first: 1.0, second: 1.0}
    assert encoder.query(f"Taxi {first} taxi quartz") == {first: 2.5}
    assert encoder.near("Taxi taxi quartz") == {"taxi": {first: 1.5}}


def test_the_table_is_no_part_of_what_an_encoder_is(encoder: Encoder) -> None:
    before = encoder.fingerprint
    (encoder.folder / NEAR_WORDS).unlink()
    assert read_encoder(encoder.folder).fingerprint == before
    assert read_encoder(encoder.folder).near("taxi") == {}


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_shipped_tables(name: str) -> None:
    encoder = open_encoder(name)
    table, known = encoder.near_words, encoder.vocabulary
    assert len(table.terms_of) > 15_000
    assert 2_000 < len(table.all_asked()) < 10_000
    for word, terms in table.terms_of.items():
        assert word not in known.forms
        assert word not in STOP_WORDS
        assert is_word(word)
        assert terms.keys() <= set(known.terms)
        near = list(terms.values())
        assert near == sorted(near, reverse=True)
        # What the field `words` can hold, below the weight of a word itself.
        assert all(0 < value < 1 and (value * FREQUENCY_SCALE).is_integer() for value in near)
    assert table.asked("canines").keys() == {"dog"}
    assert table.asked("quartz") == {}
    assert sum(path.stat().st_size for path in encoder.folder.iterdir()) <= 25_000_000
