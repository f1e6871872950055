"""Rocchio's formula, by hand and by what must hold of any query."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexel.pipeline.search.feedback.rocchio import GAMMA, MOST_WORDS, FeedbackItem, Rocchio, length

BEACH = FeedbackItem({"sand": 3.0, "sea": 4.0}, [1.0, 0.0])
SNOW = FeedbackItem({"snow": 1.0}, [0.0, 1.0])
TERMS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.1, 5), max_size=6)


def test_words_and_vector_move_by_the_formula() -> None:
    moved = Rocchio([BEACH], [SNOW], share=0.5)
    moves = moved.moves({"dog": 2.0}, length=2.0)
    assert moves.gained == pytest.approx({"sea": 2 * 4 / 5, "sand": 2 * 3 / 5})
    assert moves.lost == pytest.approx({"snow": -2 * GAMMA})
    query = np.array([0.6, 0.8])
    expected = query + np.array([1, 0]) - GAMMA * np.array([0, 1])
    assert moved.vector(query.tolist()) == pytest.approx((expected / np.linalg.norm(expected)).tolist())


def test_the_share_weighs_the_query_against_the_liked() -> None:
    quarter, most = Rocchio([BEACH], [], share=0.25), Rocchio([BEACH], [], share=0.8)
    assert (quarter.query_factor, quarter.liked_factor) == pytest.approx((1 / 3, 1))
    assert (most.query_factor, most.liked_factor) == pytest.approx((1, 0.25))
    assert Rocchio([BEACH], [], share=1).moves({"dog": 1.0}, length=1).gained == {}
    assert Rocchio([BEACH], [], share=0).query_factor == 0
    # Without something to be like, the query is whole.
    assert Rocchio([], [SNOW], share=0.1).query_factor == 1


def test_an_item_to_be_like_and_unlike_what_it_shares() -> None:
    both = Rocchio([BEACH], [FeedbackItem({"sea": 1.0}, [0.0, 1.0])], share=0.5).moves({}, length=1)
    assert both.gained == pytest.approx({"sea": 4 / 5 - GAMMA, "sand": 3 / 5})
    assert both.lost == {}


def test_words_of_the_query_only_gain_and_fixed_ones_stay() -> None:
    moved = Rocchio([BEACH], [FeedbackItem({"dog": 1.0, "cat": 1.0}, [0.0, 1.0])], share=0.5)
    moves = moved.moves({"dog": 1.0, "sea": 1.0}, length=1.0, fixed={"sand", "cat"})
    assert set(moves.gained) == {"sea"}
    assert moves.lost == {}


def test_the_strongest_words_are_kept() -> None:
    many = FeedbackItem({f"word{i}": 1.0 + i for i in range(50)}, [1.0, 0.0])
    moves = Rocchio([many], [], share=0.5).moves({}, length=1.0)
    assert list(moves.gained) == [f"word{i}" for i in range(49, 49 - MOST_WORDS, -1)]
    assert len(Rocchio([], [many], share=0.5).moves({"dog": 1.0}, length=1.0).lost) == MOST_WORDS


@given(liked=st.lists(TERMS, max_size=3), unliked=st.lists(TERMS, max_size=3), query=TERMS, share=st.floats(0, 1))
def test_any_query_moves_within_bounds(
    liked: list[dict[str, float]], unliked: list[dict[str, float]], query: dict[str, float], share: float
) -> None:
    moved = Rocchio(
        [FeedbackItem(one, [1.0, 0.0]) for one in liked], [FeedbackItem(one, [0.0, 1.0]) for one in unliked], share
    )
    moves = moved.moves(query, length=length(query))
    assert not moves.gained.keys() & moves.lost.keys()
    assert not moves.lost.keys() & query.keys()
    assert all(weight > 0 for weight in moves.gained.values())
    assert all(weight < 0 for weight in moves.lost.values())
    # The words gained are at most as long as the liked ones' share of the query.
    assert length(moves.gained) * moved.unit <= length(query) * 1.001
    assert math.isclose(length(dict(enumerate(moved.vector([0.6, 0.8])))), 1, rel_tol=1e-6)
