"""Heads: the lexicon's formula against plain arithmetic, and words of a space where the right one is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from lexel.encoders import EncoderError, Vocabulary
from lexel.encoders.heads.head import head
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.zero_shot import ZeroShotHead

TERMS = ("dog", "cat", "snow", "car", "sea", "red", "run", "boat")
VOCABULARY = Vocabulary(TERMS, {term: term for term in TERMS}, (0.1,) * len(TERMS))


class ToyTower(torch.nn.Module):
    """Each word has a direction of its own; a sentence points along its words and the direction of all sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.dim, self.feature_dim = len(TERMS) + 1, None
        self.asked: list[str] = []

    def pixels(self, image: object) -> torch.Tensor:
        raise NotImplementedError  # a head never looks at a picture

    def images(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError

    def texts(self, texts: object) -> torch.Tensor:
        assert isinstance(texts, list)
        self.asked += texts
        rows = [[5.0, *(float(term in text.strip(".").split()) for term in TERMS)] for text in texts]
        return normalize(torch.tensor(rows), dim=1)

    def config(self) -> dict[str, object]:
        return {}

    def save(self, folder: object) -> None:
        """Nothing to save."""


def picture_of(*words: str) -> torch.Tensor:
    """The vector [1, D] of a picture that shows `words`, the first most, and the direction of all pictures."""
    vector = torch.zeros(1, len(TERMS) + 1)
    vector[0, 0] = -3.0
    for place, word in enumerate(words):
        vector[0, 1 + TERMS.index(word)] = 1.0 - 0.2 * place
    return normalize(vector, dim=1)


@given(st.integers(0, 2**31 - 1))
def test_a_lexicon_is_a_saturated_linear_map_times_a_weight_per_term(seed: int) -> None:
    torch.manual_seed(seed)
    built, features = LexiconHead(features=7, terms=5), torch.randn(4, 7)
    torch.nn.init.uniform_(built.log_query, -1, 1)
    w, b, q = (p.detach().numpy() for p in (built.logits.weight, built.logits.bias, built.log_query.exp()))
    expected = np.log(1 + np.maximum(features.numpy() @ w.T + b, 0)) * q
    assert np.allclose(built(features).detach().numpy(), expected, atol=1e-6)
    assert built(features).min() >= 0


def test_a_picture_weighs_its_own_words_most() -> None:
    built = ZeroShotHead.of(ToyTower(), VOCABULARY)
    for word in TERMS:
        weights = built(picture_of(word))[0]
        assert TERMS[int(weights.argmax())] == word
        assert (weights > 0).sum() == 1


def test_words_rank_by_how_much_a_picture_shows_of_them() -> None:
    built = ZeroShotHead(anchors=ZeroShotHead.of(ToyTower(), VOCABULARY).anchors, threshold=0.5)
    weights = built(picture_of("snow", "dog"))[0]
    assert [TERMS[i] for i in weights.argsort(descending=True)[:2]] == ["snow", "dog"]
    assert (weights > 0).sum() == 2


def test_a_zeroshot_weight_is_a_standardised_cosine_less_the_threshold() -> None:
    torch.manual_seed(0)
    anchors, features = normalize(torch.randn(6, 4), dim=1), torch.randn(3, 4)
    cosines = features.numpy() @ anchors.numpy().T / np.linalg.norm(features.numpy(), axis=1, keepdims=True)
    spread = (cosines - cosines.mean(1, keepdims=True)) / cosines.std(1, keepdims=True)
    found = ZeroShotHead(anchors=anchors, threshold=0.3)(features)
    assert np.allclose(found.numpy(), np.maximum(spread - 0.3, 0), atol=1e-5)


def test_the_tower_is_asked_for_each_term_in_the_prompt() -> None:
    tower = ToyTower()
    built = ZeroShotHead.of(tower, VOCABULARY, prompt="look, {} there")
    assert tower.asked == [f"look, {term} there" for term in TERMS]
    assert built.anchors.shape == (len(TERMS), tower.dim)
    assert torch.allclose(built.anchors.norm(dim=1), torch.ones(len(TERMS)))


def test_more_words_than_a_batch_are_all_asked_for() -> None:
    names = tuple(f"word{i}" for i in range(600))
    tower = ToyTower()
    ZeroShotHead.of(tower, Vocabulary(names, {name: name for name in names}, (0.1,) * 600))
    assert len(tower.asked) == 600


def test_one_word_alone_has_nothing_to_stand_out_from() -> None:
    alone = ZeroShotHead.of(ToyTower(), Vocabulary(("dog",), {"dog": "dog"}, (0.1,)))
    assert alone(picture_of("dog")).tolist() == [[0.0]]


@pytest.mark.parametrize(
    "built",
    [
        LexiconHead(features=7, terms=5),
        ZeroShotHead(anchors=torch.randn(5, 7), threshold=0.7),
    ],
)
def test_a_head_comes_back_from_its_config(built: LexiconHead | ZeroShotHead) -> None:
    torch.manual_seed(0)
    features, again = torch.randn(3, 7), head(built.config())
    again.load_state_dict(built.state_dict())
    assert type(again) is type(built)
    assert torch.equal(again(features), built(features))


@pytest.mark.parametrize("config", [{"kind": "magic"}, {}, {"kind": "lexicon"}])
def test_an_unknown_head_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(EncoderError, match="does not know the head"):
        head(config)
