"""The encoder that lexel uses where none is named: it opens from its folder and the packages, and knows many words."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from lexel.encoders import open_encoder
from lexel.encoders.model import Model, load_model
from lexel.pipeline.scenes import draw, scene

EVERYDAY = ["pizza", "toilet", "giraffe", "laptop", "bus", "clock", "kitchen", "sheep", "zebra", "dog", "beach"]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEXEL_HOME", str(tmp_path_factory.mktemp("home")))
        yield load_model(open_encoder("lexel-photo"), device="cpu")


def test_what_people_type_is_a_word(photo: Model) -> None:
    assert set(EVERYDAY) <= set(photo.vocabulary.terms)
    assert photo.vocabulary.count("two giraffes and zebras") == {"two": 1, "giraffe": 1, "zebra": 1}


def test_pictures_and_texts_come_into_one_space(photo: Model) -> None:
    pixels = torch.stack([photo.pixels(draw(scene(seed))) for seed in (1, 2)])
    found = photo.images(pixels)
    texts = photo.text_vectors(["a dog on the beach", "a red car"])
    assert found.vectors.shape == texts.shape == (2, 512)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert all(5 <= len(terms) <= 128 for terms in found.terms)


def test_features_read_back_give_the_same(photo: Model) -> None:
    found = photo.images(photo.pixels(draw(scene(3)))[None])
    assert found.features is not None
    again = photo.of_features(found.features)
    assert np.array_equal(again.vectors, found.vectors)
    assert list(again.terms[0].items()) == list(found.terms[0].items())


def test_its_folder_holds_what_is_ours_and_no_backbone(photo: Model) -> None:
    folder = open_encoder("lexel-photo").folder
    assert sum(path.stat().st_size for path in folder.iterdir()) < 25e6
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "calibration.json",
        "lexel.json",
        "lexel.safetensors",
        "likely.npy",
        "near_words.npz",
        "vocabulary.json",
    }
