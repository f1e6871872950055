"""Words that are trained further: those of the starting encoder with their weights, and those of new captions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import training

from lexel.encoders import EncoderError, open_encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.model import load_model
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.scenes import write
from lexel.pipeline.train import TrainOptions
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.head_factory import continued
from lexel.pipeline.train.starting_encoder import KnownWords

OPTIONS = TrainOptions(epochs=1, min_count=2, views=1, device="cpu", words="keep")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write(tmp_path_factory.mktemp("scenes"), count=40)


def test_the_encoders_words_are_kept_and_those_of_captions_added(scenes: Path, tmp_path: Path) -> None:
    start = open_encoder("lexel-tiny")
    rows = scenes.read_text().replace("dogs", "woozles").replace("dog", "woozles")
    (scenes.parent / "woozles.jsonl").write_text(rows)
    made = training.learned(
        scenes.parent / "woozles.jsonl", tmp_path / "further", start="lexel-tiny", work=tmp_path / "w", options=OPTIONS
    ).encoder
    assert made.vocabulary.terms[: len(start.vocabulary)] == start.vocabulary.terms
    assert "woozles" in made.vocabulary.terms[len(start.vocabulary) :]
    old, new = load_model(start, device="cpu").head, load_model(made, device="cpu").head
    assert isinstance(old, LexiconHead)
    assert isinstance(new, LexiconHead)
    before, after = old.logits.weight.detach(), new.logits.weight.detach()[: old.terms]
    moved = float((after - before).norm() / before.norm())
    assert 0 < moved < 0.2  # trained a little, from where they were
    assert made.near("automobiles").keys() == {"automobiles"}  # what words mean stays
    assert not made.near_words.terms_of.keys() & made.vocabulary.forms.keys()


def test_a_head_goes_on_where_it_was() -> None:
    torch.manual_seed(0)
    old = LexiconHead(features=6, terms=2, hidden=3)
    torch.nn.init.normal_(old.logits.outer.weight)  # type: ignore[union-attr]
    likely = np.array([[1.0, 3.0], [2.0, 2.5]], np.float32)
    known = Vocabulary(("dog", "snow"), {"dog": "dog", "snow": "snow"}, (0.2, 0.1))
    more = known.joined(Vocabulary(("cat", "dogs"), {"cat": "cat", "cats": "cat", "dogs": "dogs"}, (0.4, 0.2)))
    assert more.terms == ("dog", "snow", "cat", "dogs")
    assert more.document_frequency == (0.1, 0.05, 0.2, 0.1)
    features = torch.randn(50, 6) * 3 + 1
    standard = Standardizer.of(features)
    words = KnownWords(known, old, likely)
    wide = continued(words, more, standard).eval()
    with torch.no_grad():
        assert torch.allclose(wide(standard(features))[:, :2], old.eval()(features), atol=1e-4)
    wider = words.likely_of(more)
    assert wider is not None
    assert wider.tolist() == [[1.0, 3.0, 2.0, 2.0], [2.0, 2.5, 2.25, 2.25]]


def test_what_cannot_be_kept_is_one_sentence(scenes: Path, tmp_path: Path) -> None:
    for options, says in (
        (TrainOptions(words="keep", head="bce"), "Only a head lexicon is trained further"),
        (TrainOptions(words="keep", size=10), "give --words new with --aliases, --ban or --size"),
    ):
        with pytest.raises((ConfigError, EncoderError), match=says):
            training.learned(scenes, tmp_path / "x", start="lexel-tiny", work=tmp_path / "w", options=options)
    with pytest.raises(ConfigError, match="Words cannot be 'both'; choose auto, keep, new"):
        TrainOptions(words="both")  # type: ignore[arg-type]
