"""Words that are said of far more pictures than captions would say them of."""

import numpy as np
import pytest
from support.making import FORMS, TERMS

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.stats.over_said import OverSaid, expected_shares, over_said


def test_a_word_is_over_said_if_it_is_said_often_and_much_more_often_than_captions_say_it() -> None:
    said, expected = np.array([0.9, 0.2, 0.04, 0.3]), np.array([0.4, 0.05, 0.0, 0.0])
    assert over_said("abcd", said, expected) == [OverSaid("d", 0.3, 0.0), OverSaid("b", 0.2, 0.05)]


def test_five_captions_hold_a_word_more_often_than_one() -> None:
    known = Vocabulary(TERMS, dict(FORMS), (0.1, 0.6, *[0.01] * (len(TERMS) - 2)))
    assert expected_shares(known)[:3].tolist() == pytest.approx([0.29, 1.0, 0.029])
