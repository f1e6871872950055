"""Weighted words: rounded to exactly what the index keeps, cut by what they are worth, added up as the index does."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lexel.encoders.term_weights import FREQUENCY_SCALE, Floats, frequencies, importance, prune, quantise, score

WEIGHTS = st.floats(0, 4096, width=32)
NAMES = ("ant", "bee", "cat", "dog", "elk", "fox")
STORED = st.dictionaries(st.sampled_from(NAMES), st.floats(1 / 64, 400, width=32).map(lambda w: float(quantise(w))))


def rows() -> st.SearchStrategy[Floats]:
    shapes = st.tuples(st.integers(0, 4), st.just(len(NAMES)))
    return arrays.arrays(np.float32, shapes, elements=st.floats(0, 50, width=32))


@given(WEIGHTS)
def test_a_stored_weight_is_one_that_lucene_keeps(weight: float) -> None:
    stored = quantise(weight)
    # FeatureField keeps a float's bits without the last 15.
    assert int(stored.view(np.uint32)) & 0x7FFF == 0
    # A term frequency is a whole number.
    assert float(stored) * FREQUENCY_SCALE == int(float(stored) * FREQUENCY_SCALE)


@given(WEIGHTS)
def test_rounding_twice_is_rounding_once(weight: float) -> None:
    assert quantise(quantise(weight)) == quantise(weight)


@given(WEIGHTS, WEIGHTS)
def test_rounding_keeps_the_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert quantise(low) <= quantise(high)


@given(WEIGHTS)
def test_rounding_is_to_the_nearest(weight: float) -> None:
    error = abs(float(quantise(weight)) - weight)
    # Half a step: of 1/128 below 4, of the ninth significant bit above.
    assert error <= max(1 / 256, weight * 2**-9)


@pytest.mark.parametrize(
    ("weight", "stored"),
    [
        (0, 0),
        (1 / 300, 0),
        (1 / 128, 1 / 128),
        (1, 1),
        (3.14159, 402 / 128),
        (5.003, 5.0),
        (100.3, 100.25),
        (511.6, 512),
    ],
)
def test_known_roundings(weight: float, stored: float) -> None:
    assert quantise(weight) == stored


@given(arrays.arrays(np.float32, arrays.array_shapes(max_dims=3, max_side=4), elements=WEIGHTS))
def test_arrays_are_rounded_one_by_one(weights: Floats) -> None:
    stored = quantise(weights)
    assert stored.dtype == np.float32
    assert stored.shape == weights.shape
    assert stored.ravel().tolist() == [float(quantise(w)) for w in weights.ravel()]


def test_importance_is_the_spread_of_a_coin() -> None:
    assert importance([0, 0.1, 0.5, 0.9, 1]) == pytest.approx([0, 0.3, 0.5, 0.3, 0])


@given(rows(), st.integers(0, 8))
def test_pruning_is_what_a_plain_loop_does(weights: Floats, keep: int) -> None:
    worth = np.array([0.5, 0.5, 0.1, 0.3, 0.0, 0.2], np.float32)
    found = prune(weights, worth, NAMES, keep=keep)
    assert len(found) == len(weights)
    for row, kept in zip(weights, found, strict=True):
        stored = quantise(row)
        by_value = sorted(range(len(NAMES)), key=lambda i: (-float(stored[i] * worth[i]), i))[:keep]
        in_order = sorted((i for i in by_value if stored[i] > 0), key=lambda i: -float(stored[i] * np.sqrt(worth[i])))
        assert list(kept.items()) == [(NAMES[i], float(stored[i])) for i in in_order]


def test_pruning_goes_by_what_a_term_adds_and_not_by_its_weight() -> None:
    weights = np.array([[1.0, 4.0, 0.0, 2.0, 3.0, 0.001]], np.float32)
    worth = np.array([0.5, 0.01, 0.5, 0.3, 0.1, 0.5], np.float32)
    assert prune(weights, worth, NAMES, keep=2) == [{"dog": 2.0, "ant": 1.0}]
    assert prune(weights, np.ones(6, np.float32), NAMES, keep=2) == [{"bee": 4.0, "elk": 3.0}]


def test_what_adds_most_comes_first_and_ties_fall_to_the_first_term() -> None:
    weights = np.array([[2.0, 1.0, 2.0, 1.0, 1.0, 3.0]], np.float32)
    found = prune(weights, np.full(6, 0.3, np.float32), NAMES, keep=4)
    assert [list(row.items()) for row in found] == [[("fox", 3.0), ("ant", 2.0), ("cat", 2.0), ("bee", 1.0)]]


def test_what_is_likely_to_be_said_comes_first_and_is_kept_no_sooner() -> None:
    weights = np.array([[2.0, 1.0, 4.0, 0.0, 1.0, 3.0]], np.float32)
    worth = np.full(6, 0.3, np.float32)
    likely = np.array([[0, 0, -2, 0, 9, 0], [1, 1, 0.5, 1, 1, 1]], np.float32)  # log(3) > log(2) > 0 > log(4) / 2 - 2
    found = prune(weights, worth, NAMES, keep=4, likely=likely)
    assert [list(row.items()) for row in found] == [[("fox", 3.0), ("ant", 2.0), ("bee", 1.0), ("cat", 4.0)]]


def test_a_row_without_weights_has_no_terms() -> None:
    weights = np.array([[0.0] * 6, [0.001] * 6, [0, 0, 0, 1, 0, 0]], np.float32)
    assert prune(weights, np.ones(6, np.float32), NAMES, keep=3) == [{}, {}, {"dog": 1.0}]


def test_what_is_no_number_is_never_kept() -> None:
    weights = np.array([[math.nan, 1.0, 0, 0, 0, 0]], np.float32)
    assert prune(weights, np.ones(6, np.float32), NAMES, keep=6) == [{"bee": 1.0}]


def test_a_score_is_the_sum_over_shared_terms() -> None:
    assert score({"dog": 2.0, "cat": 1.0, "emu": 9.0}, {"dog": 1.5, "cat": 0.25, "fox": 7.0}) == 3.25
    assert score({}, {"dog": 1.0}) == 0
    assert score({"dog": 1.0}, {"cat": 1.0}) == 0


@given(STORED, STORED)
def test_a_score_is_an_inner_product(query: Mapping[str, float], item: Mapping[str, float]) -> None:
    left, right = ([terms.get(name, 0.0) for name in NAMES] for terms in (query, item))
    assert score(query, item) == pytest.approx(float(np.dot(left, right)))
    assert score(query, item) == pytest.approx(score(item, query))


def test_frequencies_are_whole_multiples() -> None:
    assert frequencies([3.1484375, 2.2890625]).tolist() == [403, 293]
    assert frequencies([]).tolist() == []


@given(STORED)
def test_frequencies_give_the_weights_back(terms: Mapping[str, float]) -> None:
    counts = frequencies(list(terms.values())).tolist()
    assert {term: count / FREQUENCY_SCALE for term, count in zip(terms, counts, strict=True)} == terms
