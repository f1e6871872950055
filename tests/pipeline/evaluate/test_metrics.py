"""Measures against numbers worked out by hand, and intervals against what they must be."""

import itertools

import numpy as np
import pytest

from lexel.pipeline.evaluate.metrics import CAPTIONED, LABELLED, measure_queries
from lexel.pipeline.evaluate.retrieve import break_ties, to_run
from lexel.pipeline.evaluate.significance import interval, median_interval, numbered, p_value


def run_of(*rows: str) -> dict[str, dict[str, float]]:
    """Each row a query's items, one a letter, best first."""
    return {f"q{i}": {item: float(len(row) - n) for n, item in enumerate(row)} for i, row in enumerate(rows)}


def test_captioned_measures_by_hand() -> None:
    right = {"q0": {"a": 1, "b": 1}, "q1": {"z": 1}, "q2": {"f": 1}, "q3": {"a": 1}}
    found = measure_queries(run_of("axyb", "abc", "abcdef", ""), right, CAPTIONED)
    assert found["rank"].tolist() == [1, np.inf, 6, np.inf]
    assert found["R@1"].tolist() == [1, 0, 0, 0]
    assert found["R@5"].tolist() == [1, 0, 0, 0]
    assert found["R@10"].tolist() == [1, 0, 1, 0]
    assert found["MRR"] == pytest.approx([1, 0, 1 / 6, 0])


def test_average_precision_and_gain_by_hand() -> None:
    found = measure_queries(run_of("axyb"), {"q0": {"a": 1, "b": 1, "c": 1}}, CAPTIONED)
    assert found["P@10"] == pytest.approx([0.2])
    assert found["mAP@10"] == pytest.approx([(1 + 2 / 4) / 3])  # as trec_eval has it, with three right items
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert found["nDCG@10"] == pytest.approx([(1 + 1 / np.log2(5)) / ideal])


def test_grades_are_gains() -> None:
    found = measure_queries(run_of("ab"), {"q0": {"a": 1, "b": 3, "x": 0}}, ["nDCG@10", "R@1"])
    assert found["nDCG@10"] == pytest.approx([(1 + 3 / np.log2(3)) / (3 + 1 / np.log2(3))])
    assert found["R@1"].tolist() == [1]


def test_labelled_measures_count_what_k_places_can_hold() -> None:
    right = {"q0": dict.fromkeys("abcdefghijklmnopqrst", 1)}  # twenty right ones
    found = measure_queries(run_of("abcdefghij"), right, LABELLED)
    assert [found[f"mAP@{k}"][0] for k in (1, 5, 10)] == pytest.approx([1, 1, 1])
    assert found["P@10"] == pytest.approx([1])
    assert found["F1@10"] == pytest.approx([2 * 1 * 0.5 / 1.5])
    assert found["P@50"] == pytest.approx([0.2])
    none = measure_queries(run_of("123"), right, LABELLED)
    assert none["F1@10"].tolist() == [0]


def test_scores_fall_strictly_in_single_precision_and_hardly_move() -> None:
    scores = [3.25, 3.25, 3.25, 3.0, 0.5, 0.5]
    found = np.array(break_ties(scores), np.float32)
    assert (np.diff(found) < 0).all()
    assert found == pytest.approx(scores, rel=1e-6)
    assert break_ties([]) == []


def test_ties_fall_by_lot_not_by_the_order_of_the_index() -> None:
    hits = [("first", 2.0), *((f"tied{i}", 1.0) for i in range(4)), ("last", 0.5)]
    places = np.zeros(4)
    for query in range(400):
        order = list(to_run(f"query {query}", hits))
        assert order == list(to_run(f"query {query}", [hits[0], *hits[4:0:-1], hits[5]]))
        assert (order[0], order[-1]) == ("first", "last")
        places += [order.index(f"tied{i}") for i in range(4)]
    assert places / 400 == pytest.approx([2.5] * 4, abs=0.25)


def test_the_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(5, 2, size=1000)
    low, high = interval(values, np.arange(1000))
    half = 1.96 * values.std() / np.sqrt(1000)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert (low, high) == interval(values, np.arange(1000))


def test_queries_of_one_group_are_one_question() -> None:
    values = np.random.default_rng(2).normal(size=200)
    fivefold, groups = np.repeat(values, 5), np.repeat(np.arange(200), 5)
    assert interval(fivefold, groups) == pytest.approx(interval(values, np.arange(200)))
    assert p_value(fivefold, groups) == pytest.approx(p_value(values, np.arange(200)))
    assert numbered(["b", "a", "b"]).tolist() == [1, 0, 1]


def test_the_median_may_be_out_of_reach() -> None:
    ranks = np.array([1.0] * 40 + [np.inf] * 60)
    low, high = median_interval(ranks, np.arange(100))
    assert high == np.inf
    assert (
        median_interval(np.arange(1.0, 102), np.arange(101))[0]
        < 51
        < median_interval(np.arange(1.0, 102), np.arange(101))[1]
    )
    assert low <= high


def test_the_randomisation_test_is_the_share_of_sign_patterns() -> None:
    differences = np.array([3.0, 1.0, 2.0, -1.0, 2.0, 4.0])
    signs = np.array(list(itertools.product([-1, 1], repeat=6)))
    exact = (np.abs(signs @ differences) >= differences.sum()).mean()
    assert p_value(differences, np.arange(6)) == pytest.approx(exact, abs=0.01)
    assert p_value(np.zeros(6), np.arange(6)) == 1.0
