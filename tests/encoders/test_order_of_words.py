"""The order in which an encoder says its words: in a file of its own, which changes neither words nor fingerprint."""

from pathlib import Path

import numpy as np
import pytest
from support.making import random_encoder

from lexel.encoders import EncoderError
from lexel.encoders.encoder import read_encoder
from lexel.encoders.model import load_model


def say_otherwise(folder: Path, terms: int) -> None:
    np.save(folder / "likely.npy", np.random.default_rng(0).random((2, terms), np.float32) * 5)


def test_words_are_said_in_the_order_that_is_likely(tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path / "made")
    model = load_model(encoder, device="cpu")
    features = np.random.default_rng(1).normal(size=(5, model.feature_dim or model.dim)).astype(np.float32) * 3
    before = model.of_features(features).terms
    say_otherwise(encoder.folder, len(encoder.vocabulary))
    otherwise = load_model(encoder, device="cpu")
    after = otherwise.of_features(features).terms
    assert before == after
    assert [list(terms) for terms in before] != [list(terms) for terms in after]
    again = load_model(otherwise.save(tmp_path / "again", name="again"), device="cpu").of_features(features).terms
    assert [list(terms) for terms in again] == [list(terms) for terms in after]


def test_another_order_is_the_same_encoder(tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path / "made")
    before = encoder.fingerprint
    say_otherwise(encoder.folder, len(encoder.vocabulary))
    assert read_encoder(encoder.folder).fingerprint == before


@pytest.mark.parametrize("content", [b"", b"no numbers", None])
def test_a_broken_order_is_one_sentence(content: bytes | None, tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path / "made")
    if content is None:
        say_otherwise(encoder.folder, 1)
    else:
        (encoder.folder / "likely.npy").write_bytes(content)
    with pytest.raises(EncoderError, match=r"likely.npy .*; remove it, or get it anew"):
        load_model(encoder, device="cpu")
