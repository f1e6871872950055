"""The training loop: it goes on where it stopped, keeps the best weights, and what it judges by is what it says."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support import training
from torch import Tensor, nn
from torch.nn.functional import dropout

from lexel.encoders.term_weights import prune, quantise
from lexel.pipeline.atomic import replacing_folder
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train import TrainOptions, output_folder
from lexel.pipeline.train.artifacts import learning_curves, training_id
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import Batch
from lexel.pipeline.train.tasks.head_task import HeadRecipe, cut
from lexel.pipeline.train.tasks.loop import Figures, History, fit
from lexel.pipeline.train.tasks.recall import Recall, recalls
from lexel.pipeline.train.tasks.schedule import Schedule

LESSON = training.lesson([("a", "b")] * 30)
SCHEDULE = Schedule(epochs=6, batch=10, rate=1e-2, average=0.9)


class Regression:
    """Learn to add up features, with dropout and buffers that move; the judge says the error, or `said` in turn."""

    watched = "R"

    def __init__(self, said: Callable[[int], float] | None = None) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.said, self.judged = said, list[dict[str, Tensor]]()
        self.seen = 0

    def loss(self, batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        assert 0 <= progress < 1
        self.seen += 1
        guess = self.module(dropout(batch.features, 0.3))[:, 0]
        return (guess - batch.features.sum(1)).square().mean(), {"progress": progress}

    def judge(self, module: nn.Module) -> Figures:
        assert not module.training
        self.judged.append({key: value.clone() for key, value in module.state_dict().items()})
        # Random numbers that judging uses up must not reach the next epoch.
        features = LESSON.sample(30)
        with torch.no_grad():
            error = float((module(features)[:, 0] - features.sum(1)).square().mean())
        return {"R": self.said(len(self.judged) - 1) if self.said else -error, "noise": float(torch.rand(()))}


def learn(
    task: Regression,
    saved: Path | None = None,
    *,
    identity: str = "one",
    schedule: Schedule = SCHEDULE,
    tell: Callable[[int, Figures], None] = lambda epoch, figures: None,
) -> History:
    return fit(
        task,
        lambda epoch: LESSON.batches(size=schedule.batch, seed=schedule.seed, epoch=epoch),
        steps=LESSON.steps(schedule.batch),
        schedule=schedule,
        saved=saved,
        identity=identity,
        tell=tell,
    )


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def stop_after(last: int) -> Callable[[int, Figures], None]:
    def tell(epoch: int, figures: Figures) -> None:
        if epoch == last + 1:  # the state of `last` is on disk, this one's is not yet
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("stops", [[0], [2], [0, 3], [4]])
def test_a_stopped_training_ends_with_the_weights_of_an_unbroken_one(stops: list[int], tmp_path: Path) -> None:
    unbroken = Regression()
    history = learn(unbroken)
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            learn(Regression(), tmp_path / "state.pt", tell=stop_after(stop))
    resumed = Regression()
    assert learn(resumed, tmp_path / "state.pt") == history
    assert same(resumed.module, unbroken.module)
    assert resumed.seen == 6 * (5 - stops[-1])


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    first, again = Regression(), Regression()
    history = learn(first, tmp_path / "state.pt")
    assert learn(again, tmp_path / "state.pt") == history
    assert again.seen == 0
    assert same(again.module, first.module)
    assert not [path for path in tmp_path.iterdir() if path.name != "state.pt"]


def harm(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("spoil", [harm, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"no")])
def test_a_broken_state_begins_anew(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    learn(Regression(), tmp_path / "state.pt")
    spoil(tmp_path / "state.pt")
    task = Regression()
    assert len(learn(task, tmp_path / "state.pt").epochs) == 6
    assert task.seen == 36


def test_the_state_of_another_training_is_left_alone(tmp_path: Path) -> None:
    learn(Regression(), tmp_path / "state.pt", identity="one")
    other = Regression()
    learn(other, tmp_path / "state.pt", identity="other")
    assert other.seen == 36


def test_what_is_left_are_the_averaged_weights_of_the_best_epoch() -> None:
    task = Regression(lambda n: [1.0, 5.0, 2.0, 5.0, 3.0, 4.0][n])
    history = learn(task)
    assert history.best == 1
    assert not task.module.training
    state = task.module.state_dict()
    assert all(torch.equal(state[key], value) for key, value in task.judged[1].items())
    assert not torch.equal(state["0.weight"], task.judged[3]["0.weight"])


def test_the_average_is_that_of_the_weights_after_each_step() -> None:
    task, passed = Regression(), list[Tensor]()
    inner = task.loss

    def loss(batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        passed.append(task.module.state_dict()["0.weight"].clone())
        return inner(batch, progress)

    task.loss = loss  # type: ignore[method-assign]
    learn(task, schedule=Schedule(epochs=2, batch=10, rate=1e-2, average=0.9))
    mean = passed[0]
    for step, weights in enumerate(passed[1:6]):  # the weights before each step, the last of them unseen
        keep = min(0.9, (1 + step) / (10 + step))
        mean = keep * mean + (1 - keep) * weights
    keep = 6 / 15
    assert torch.allclose(task.judged[0]["0.weight"], keep * mean + (1 - keep) * passed[6], atol=1e-6)


def test_it_stops_when_val_gets_no_better() -> None:
    task = Regression(lambda n: 9.0 if n == 1 else 1.0)
    history = learn(task, schedule=Schedule(epochs=20, batch=10, rate=1e-3, patience=3))
    assert (len(history.epochs), history.best) == (5, 1)


def test_figures_are_means_over_an_epoch() -> None:
    history = learn(Regression())
    assert history.epochs[0]["progress"] == pytest.approx(np.mean([i / 36 for i in range(6)]))
    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"]


def test_the_rate_rises_then_falls() -> None:
    rates = [SCHEDULE.rate_at(step / 1000, step=step) for step in range(1000)]
    assert rates[0] == pytest.approx(1 / 50)
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[-1] == 0.02
    assert all(one >= other for one, other in pairwise(rates[50:]))


scored = st.integers(1, 12).flatmap(
    lambda pictures: st.lists(st.integers(0, pictures - 1), min_size=1, max_size=30).map(
        lambda owner: (pictures, np.array(sorted(owner)))
    )
)


def brute_force(scores: npt.NDArray[np.float32], owner: npt.NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """The rank of each caption's picture, and of each captioned picture's best caption; half of what ties is before."""
    forth = []
    for column, own in enumerate(owner):
        others = [scores[p, column] for p in range(len(scores)) if p != own]
        score = scores[own, column]
        forth.append(sum(s > score for s in others) + sum(s == score for s in others) / 2)
    back = []
    for picture in sorted(set(owner)):
        score = max(scores[picture, owner == picture])
        others = scores[picture, owner != picture]
        back.append(sum(s > score for s in others) + sum(s == score for s in others) / 2)
    return forth, back


@given(scored, st.integers(0, 99), st.integers(2, 6))
def test_recalls_are_those_of_brute_force(shape: tuple[int, Any], seed: int, levels: int) -> None:
    pictures, owner = shape
    scores = np.random.default_rng(seed).integers(0, levels, (pictures, len(owner))).astype(np.float32)
    found = recalls(lambda run: torch.from_numpy(scores[:, run]), owner, pictures=pictures)
    for recall, ranks in zip(found, brute_force(scores, owner), strict=True):
        expected = [100 * np.mean([rank < k for rank in ranks]) for k in (1, 5, 10)]
        assert (recall.at_1, recall.at_5, recall.at_10) == pytest.approx(expected, abs=0.006)
        assert recall.mean == pytest.approx(np.mean(expected), abs=0.01)


def test_recalls_of_many_captions_are_worked_out_in_runs() -> None:
    owner = np.repeat(np.arange(80), 30)
    scores = torch.from_numpy(np.random.default_rng(0).normal(size=(80, 2400)).astype(np.float32))
    scores[torch.from_numpy(owner), torch.arange(2400)] += 1.5
    runs: list[slice] = []
    found = recalls(lambda run: runs.append(run) or scores[:, run], owner, pictures=80)  # type: ignore[func-returns-value]
    forth, back = brute_force(scores.numpy(), owner)
    expected = [100 * np.mean(np.array(ranks) < 10) for ranks in (forth, back)]
    assert (found[0].at_10, found[1].at_10) == pytest.approx(expected, abs=0.006)
    assert expected[0] < 90
    assert len(runs) == 6


def test_where_nothing_is_known_every_rank_is_that_of_chance() -> None:
    def nothing(pictures: int) -> tuple[Recall, Recall]:
        return recalls(lambda run: torch.zeros(pictures, pictures), np.arange(pictures), pictures=pictures)

    assert nothing(40) == (Recall(0, 0, 0), Recall(0, 0, 0))  # rank 19.5 of 0 to 39
    assert nothing(20) == (Recall(0, 0, 100), Recall(0, 0, 100))  # rank 9.5


@pytest.mark.parametrize("regions", [0, 3])
def test_a_map_of_standardised_features_can_read_the_features_themselves(regions: int) -> None:
    torch.manual_seed(0)
    features = torch.randn(50, 8) * torch.arange(1, 9) + 3
    features[:, 5] = 2.0  # one that never changes
    if regions:
        there = torch.rand(50, regions, 1) < 0.7
        rows = torch.randn(50, regions, 8) * 2 + 1
        features = torch.cat([rows * there, there.float()], 2).flatten(1)
    standard = Standardizer.of(features, regions=regions)
    brought = standard(features)
    if regions:
        kept = brought.view(50, regions, 9)
        assert torch.equal(kept[:, :, -1], features.view(50, regions, 9)[:, :, -1])
        inside = there[:, :, 0]
        plain, brought = features.view(50, regions, 9)[inside][:, :-1], kept[inside][:, :-1]
    else:
        plain = features
    assert torch.allclose(brought.mean(0), torch.zeros(8), atol=1e-4)
    assert torch.allclose(brought.std(0)[:5], torch.ones(5), atol=0.05)
    linear = nn.Linear(8, 4)
    expected, raw = linear(brought), linear(plain)
    standard.fold_into(linear)
    assert torch.allclose(linear(plain), expected, atol=1e-4)
    standard.unfold_from(linear)
    assert torch.allclose(linear(plain), raw, atol=1e-4)


@given(st.integers(0, 2**16), st.integers(1, 12))
def test_the_cut_of_training_is_that_of_an_index(seed: int, keep: int) -> None:
    dice = np.random.default_rng(seed)
    # Whole steps of what is stored, each a prime to its own power, so that no two contribute alike.
    weights = quantise(dice.permutation(np.arange(1, 61)).reshape(5, 12) / 16 * (dice.random((5, 12)) < 0.7))
    worth = (1 + dice.random(12)).astype(np.float32)
    kept = prune(weights, worth, [str(i) for i in range(12)], keep=keep)
    found = cut(torch.from_numpy(weights), torch.from_numpy(worth), keep)
    assert [{str(i): float(w) for i, w in enumerate(row) if w} for row in found.numpy()] == kept


def test_what_is_cut_off_gets_no_gradient() -> None:
    weights = torch.tensor([[3.0, 1.0, 2.0, 0.0]], requires_grad=True)
    cut(weights, torch.tensor([1.0, 4.0, 1.0, 1.0]), 2).sum().backward()
    assert weights.grad is not None
    assert weights.grad.tolist() == [[1, 1, 0, 0]]


def test_the_budget_falls_from_all_terms_to_what_is_kept() -> None:
    recipe = HeadRecipe(closing=(0.25, 0.75))
    budgets = [recipe.budget(i / 100, most=2000, least=128) for i in range(101)]
    assert set(budgets[:26]) == {2000}
    assert set(budgets[75:]) == {128}
    assert budgets[50] == round((2000 * 128) ** 0.5)
    assert budgets == sorted(budgets, reverse=True)
    assert recipe.budget(0.9, most=50, least=128) == 128


@pytest.mark.parametrize("options", [{"head": "magic"}, {"tower": "eiffel"}])
def test_options_that_make_no_sense_are_one_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"There is no .*; choose "):
        TrainOptions(**options)


def test_what_is_not_chosen_is_the_recipes_own() -> None:
    plain, chosen = (
        TrainOptions().head_recipe(),
        TrainOptions(epochs=3, keep=7, sparsity=0.0, soft=0.0, seed=5).head_recipe(),
    )
    assert (chosen.schedule.epochs, chosen.keep, chosen.sparsity, chosen.soft, chosen.schedule.seed) == (3, 7, 0, 0, 5)
    assert chosen.dropout == plain.dropout
    assert (
        TrainOptions(head="bce").head_recipe().schedule == TrainOptions(head="bce", epochs=None).head_recipe().schedule
    )


def test_an_encoder_takes_the_place_of_an_older_one_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep/encoder"
    output_folder.check(out)
    with replacing_folder(out) as new:
        (new / "lexel.json").write_text("first")
        (new / "words.txt").touch()
    output_folder.check(out)
    with pytest.raises(OSError, match="No such file"), replacing_folder(out) as new:
        (new / "lexel.json").write_text((new / "nothing").read_text())
    assert (out / "lexel.json").read_text() == "first"
    with replacing_folder(out) as new:
        (new / "lexel.json").write_text("second")
    assert [path.name for path in out.iterdir()] == ["lexel.json"]
    assert [path.name for path in out.parent.iterdir()] == ["encoder"]


def test_what_is_no_encoder_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    (tmp_path / "empty").mkdir()
    output_folder.check(tmp_path / "empty")
    for place in (tmp_path, tmp_path / "photo.jpg"):
        with pytest.raises(ConfigError, match="is there already and holds no encoder; give another folder"):
            output_folder.check(place)


def test_weights_are_told_apart_by_their_numbers_and_names() -> None:
    torch.manual_seed(0)
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    before = training_id.weights(one)
    assert training_id.weights(one) == before != training_id.weights(other)
    assert len({before, training_id.weights(nn.Sequential(one)), training_id.weights(one, other)}) == 3
    other.load_state_dict(one.state_dict())
    assert training_id.weights(other) == before
    assert training_id.digest("a", ["b"]) != training_id.digest("a", "b")


def test_curves_are_a_picture_that_opens(tmp_path: Path) -> None:
    epochs = [{"loss": 3 - 0.1 * i, "R@1": float(i), "R@10": 2.0 * i, "kept/image": 5.0} for i in range(4)]
    stages = {"towers": History([{"loss": 1.0, "R@1": 2.0}], 0), "head": History(epochs, 3), "none": History()}
    learning_curves.draw(stages, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width > 800
    learning_curves.draw({}, tmp_path / "nothing.png")
    assert not (tmp_path / "nothing.png").exists()
