"""The weight and the cut-off against searches by brute force, and where they are kept."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.making import random_encoder
from typer.testing import CliRunner

from lexel.encoders import open_encoder
from lexel.encoders.term_weights import score
from lexel.pipeline.calibrate.cutoff import best_cutoff, least_cosine
from lexel.pipeline.calibrate.hybrid_weight import best_weight, ranks, recalls, term_scores
from lexel.pipeline.cli.main import app
from lexel.pipeline.scenes import write


def noisy(seed: int, *, terms: float, cosines: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of 300 queries and as many items, their right ones on the diagonal, each with its own noise."""
    dice, right = np.random.default_rng(seed), np.eye(300, dtype=bool)
    sparse = (5 * right + terms * dice.normal(size=right.shape)).astype(np.float32)
    dense = (0.1 * right + cosines * dice.normal(size=right.shape)).astype(np.float32)
    return sparse, dense, right


def test_the_weight_is_that_of_the_optimal_linear_rule() -> None:
    """Of two independent normal scores, the best sum weighs each by its shift over its variance."""
    sparse, dense, right = noisy(0, terms=3.0, cosines=0.04)
    ideal = (0.1 / 0.04**2) / (5 / 3.0**2)
    assert best_weight(sparse, dense, right) == pytest.approx(ideal, rel=0.35)


def test_no_other_weight_surely_ranks_better_and_each_much_smaller_one_worse() -> None:
    sparse, dense, right = noisy(1, terms=4.0, cosines=0.08)
    best = best_weight(sparse, dense, right)

    def gains(weight: float) -> np.ndarray:
        return 1 / np.log2(1 + ranks(sparse + np.float32(weight) * dense, right))

    for weight in (0.0, *np.geomspace(1, 1e4, 60)):
        more = gains(weight) - gains(best)
        assert more.mean() <= 1.5 * more.std() / len(more) ** 0.5
        if weight < best / 1.5:
            assert more.mean() < 0
    assert recalls(sparse + best * dense, right)[0] > max(recalls(sparse, right)[0], recalls(dense, right)[0])


def test_a_side_that_says_nothing_leaves_any_weight() -> None:
    sparse, dense, right = noisy(2, terms=1.0, cosines=0.1)
    assert best_weight(np.zeros_like(sparse), dense, right) > 0
    assert best_weight(sparse, np.zeros_like(dense), right) > 0


def test_half_of_what_ties_goes_before() -> None:
    scores = np.array([[1, 1, 1, 0], [0, 2, 1, 3]], np.float32)
    right = np.array([[True, False, False, False], [True, True, False, False]])
    assert ranks(scores, right).tolist() == [2, 2]
    assert recalls(scores, right) == (0, 100, 100)


def test_the_cutoff_has_the_highest_f1_of_all() -> None:
    dice = np.random.default_rng(3)
    right = dice.random((40, 50)) < 0.05
    scores = np.round(dice.normal(size=right.shape) + 2.5 * right + 3, 1).clip(0.1).astype(np.float32)
    cut = best_cutoff(scores, right)

    def f1(threshold: float) -> float:
        kept = scores >= np.float32(threshold)
        return float(2 * (kept & right).sum() / (kept.sum() + right.sum()))

    assert f1(cut.score) == pytest.approx(max(f1(t) for t in np.unique(scores)))
    kept = scores >= np.float32(cut.score)
    assert cut.kept == pytest.approx(kept.sum() / 40)
    assert cut.precision == pytest.approx((kept & right).sum() / kept.sum())
    assert cut.recall == pytest.approx((kept & right).sum() / right.sum())


def test_one_wrong_item_in_a_hundred_is_as_near_as_the_least() -> None:
    _, cosines, right = noisy(3, terms=1.0, cosines=0.05)
    found = least_cosine(cosines, right)
    assert (cosines[~right] >= found.cosine).mean() == pytest.approx(0.01, abs=5e-4)
    assert found.recall == pytest.approx((cosines[right] >= found.cosine).mean())
    assert 0.1 < found.recall < 0.9


def test_scores_in_memory_are_those_of_the_index() -> None:
    queries, items = [{"dog": 1.0, "snow": 2.0}, {"nowhere": 1.0}, {}], [{"dog": 0.5}, {"snow": 1.25, "dog": 1.0}]
    expected = [[score(query, item) for item in items] for query in queries]
    assert term_scores(queries, items).tolist() == expected


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    return write(tmp_path / "drawn", count=12)


def test_tune_stores_both_sides_with_the_encoder(drawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(open_encoder().folder, folder)
    (folder / "calibration.json").write_text('{"vector_weight": {"text": 20.0, "other": 1.0}, "kept": true}')
    fingerprint = open_encoder(str(folder)).fingerprint
    answer = CliRunner().invoke(app, ["tune", str(drawn), "--encoder", str(folder), "--device", "cpu"])
    assert answer.exit_code == 0, answer.output
    stored = json.loads((folder / "calibration.json").read_text())
    assert stored["kept"]
    assert stored["vector_weight"]["other"] == 1.0
    tuned = open_encoder(str(folder))
    assert tuned.fingerprint == fingerprint
    for side in ("text", "image"):
        assert tuned.vector_weight(side) == stored["vector_weight"][side] > 0
        assert stored["cutoff"][side].keys() == {"terms", "vector", "hybrid"}
        assert 1 < stored["cutoff"][side]["vector"] < 2
        # The file has OpenSearch's scores; people see them without its constant.
        assert tuned.cutoff(side, "vector") == pytest.approx(stored["cutoff"][side]["vector"] - 1)
        hybrid = stored["cutoff"][side]["hybrid"] - stored["vector_weight"][side]
        assert tuned.cutoff(side, "hybrid") == pytest.approx(hybrid)
        assert tuned.least_cosine(side) == stored["least_cosine"][side]
        assert 0 < stored["least_cosine"][side] < 1
    assert "20 → " in answer.output


def test_what_cannot_be_written_is_said_before_the_work(drawn: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["tune", str(drawn)])
    assert answer.exit_code == 1
    assert "--out FOLDER" in " ".join(answer.output.split())
    assert not (tmp_path / "home").exists()
    taken = random_encoder(tmp_path / "taken").folder
    answer = CliRunner().invoke(app, ["tune", str(drawn), "--out", str(taken)])
    assert answer.exit_code == 1
    assert "holds something already" in " ".join(answer.output.split())


def test_a_shipped_encoder_is_copied_with_its_calibration(drawn: Path, tmp_path: Path) -> None:
    before = (open_encoder().folder / "calibration.json").read_bytes()
    answer = CliRunner().invoke(app, ["tune", str(drawn), "--out", str(tmp_path / "tuned"), "--device", "cpu"])
    assert answer.exit_code == 0, answer.output
    tuned = open_encoder(str(tmp_path / "tuned"))
    assert tuned.fingerprint == open_encoder().fingerprint
    assert "cutoff" in json.loads((tuned.folder / "calibration.json").read_text())
    assert (open_encoder().folder / "calibration.json").read_bytes() == before
