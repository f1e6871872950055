"""Which words are said first: fitted on images whose captions are known; those said too often are held back."""

import numpy as np
import pytest
import torch
from support import making

from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.backbones import ResidualBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.model import Model
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower
from lexel.pipeline.calibrate.likely_words import (
    Described,
    LookedAt,
    Usual,
    held,
    kept_weights,
    likely_words,
    said_first,
    usual,
)

KNOWN = making.vocabulary()
V = len(KNOWN)


@pytest.fixture
def model() -> Model:
    """The weight of term i is log(1 + feature i): features say what an image shows."""
    torch.manual_seed(0)
    image = ResidualBackbone(net=ResidualConfig((8,), (1,), V, 32), preprocess=Preprocess(32))
    head = LexiconHead(features=V, terms=V)
    with torch.no_grad():
        head.logits.weight.copy_(torch.eye(V))
        head.logits.bias.zero_()
    return Model(PairTower(image, BagText(BagConfig(("dog",), width=4)), dim=4), head, KNOWN, device="cpu")


def shown(count: int, seed: int = 0) -> torch.Tensor:
    """Images that show of each thing a little or much."""
    return torch.rand(count, V, generator=torch.Generator().manual_seed(seed)) * 4 + 0.1


def flat(share: float) -> np.ndarray:
    return np.full(V, share, np.float32)


def test_a_word_that_is_said_at_small_weights_comes_before_one_that_needs_large_ones(model: Model) -> None:
    features = shown(600)
    said = features.numpy() > 2
    said[:, 0], said[:, 1] = features[:, 0].numpy() > 0.5, features[:, 1].numpy() > 3.8
    described = Described(features, said, np.ones(V, bool))
    likely = likely_words(model, [described], Usual(said.mean(0).astype(np.float32), flat(0.5)), [])
    alike = np.full((1, V), 0.9, np.float32)
    order = np.argsort(-(likely[0] + likely[1] * np.log(alike[0, 0])))
    assert order[0] == 0
    assert order[-1] == 1
    first = said_first(kept_weights(model, features), likely, 3)
    by_weight = said_first(kept_weights(model, features), np.stack([flat(0), flat(1)]), 3)
    assert said[first].mean() > said[by_weight].mean()


def test_a_word_that_is_said_too_often_is_held_back(model: Model) -> None:
    features = shown(300)
    features[:, 2] = 6  # the model sees it everywhere
    others = shown(300, seed=1)
    said = torch.rand(300, V, generator=torch.Generator().manual_seed(2)) < others / 4
    described = Described(others, said.numpy(), np.ones(V, bool))
    shares = Usual(flat(0.5), flat(0.5))
    expected = flat(0.9)
    expected[2] = 0.02
    before, after = (
        likely_words(model, [described], shares, looked_at) for looked_at in ([], [LookedAt(features, expected)])
    )
    weights = kept_weights(model, features)
    assert said_first(weights, before)[:, 2].mean() > 0.9
    assert said_first(weights, after)[:, 2].mean() < 0.1
    assert np.array_equal(before[1], after[1])


def test_usual_shares_are_those_of_captions_and_of_sentences() -> None:
    captions = [["a dog", "two dogs"], ["a cat"], ["snow"], ["a dog in the snow"]]
    found = usual(KNOWN, captions, ["a boat", "a tree", "a tree", "nothing", "a cat"] * 2)
    at = KNOWN.index
    assert found.here[at["dog"]] == 0.5
    assert found.elsewhere[at["tree"]] == pytest.approx(0.95)  # 2.9 x 0.4, at most 0.95
    assert found.elsewhere[at["cat"]] == pytest.approx(2.9 * 0.2)
    assert held(KNOWN, captions)[:, at["dog"]].tolist() == [True, False, False, True]
    assert found.anywhere[at["tree"]] < found.mixed[at["tree"]]
