"""Losses against numbers worked out by hand, what must not change them, and that they teach."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, tensor

from lexel.pipeline.train.tasks import losses

SEEDS = st.integers(0, 2**31 - 1)
quick = settings(max_examples=30, deadline=None)


def dice(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shuffle(seed: int, count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def test_info_nce_by_hand() -> None:
    scores = tensor([[math.log(3), 0.0], [0.0, 0.0]], dtype=torch.float64)
    # Shares of the own pair: 3/4 and 1/2 in rows, the same in columns.
    expected = -(math.log(3 / 4) + math.log(1 / 2)) / 2
    assert losses.info_nce(scores).item() == pytest.approx(expected)
    lopsided = tensor([[math.log(3), 0.0], [math.log(5), 0.0]], dtype=torch.float64)
    rows = -(math.log(3 / 4) + math.log(1 / 6)) / 2
    columns = -(math.log(3 / 8) + math.log(1 / 2)) / 2
    assert losses.info_nce(lopsided).item() == pytest.approx((rows + columns) / 2)


def test_info_nce_with_shares_by_hand() -> None:
    scores = tensor([[math.log(3), 0.0], [0.0, 0.0]], dtype=torch.float64)
    targets = tensor([[3.0, 1.0], [0.0, 4.0]], dtype=torch.float64)
    rows = (-(3 / 4 * math.log(3 / 4) + 1 / 4 * math.log(1 / 4)) - math.log(1 / 2)) / 2
    columns = (-math.log(3 / 4) - (1 / 5 * math.log(1 / 2) + 4 / 5 * math.log(1 / 2))) / 2
    assert losses.info_nce(scores, targets).item() == pytest.approx((rows + columns) / 2)


@quick
@given(SEEDS)
def test_info_nce_knows_neither_the_order_of_the_batch_nor_the_height_of_the_scores(seed: int) -> None:
    scores, order = dice(seed, 6, 6), shuffle(seed, 6)
    loss = losses.info_nce(scores)
    assert torch.allclose(losses.info_nce(scores[order][:, order]), loss)
    assert torch.allclose(losses.info_nce(scores + 7.5), loss)
    assert torch.allclose(losses.info_nce(scores.T), loss)
    assert torch.allclose(losses.info_nce(scores, 3 * torch.eye(6, dtype=torch.float64)), loss)
    assert loss > 0


def test_info_nce_is_least_where_the_shares_are_the_targets() -> None:
    shares = tensor([[0.6, 0.4], [0.4, 0.6]], dtype=torch.float64)
    best = losses.info_nce(shares.log(), shares)
    assert all(losses.info_nce(shares.log() + 0.3 * dice(i, 2, 2), shares) > best for i in range(20))


def test_sigmoid_pairs_by_hand() -> None:
    scores = tensor([[math.log(3), 0.0], [math.log(4), -math.log(9)]], dtype=torch.float64)
    # Chances that the two belong together: 3/4, 1/2; 4/5, 1/10.
    wrong = math.log(1 / 2) + math.log(1 / 5)
    expected = -(math.log(3 / 4) + math.log(1 / 10) + wrong) / 2
    assert losses.sigmoid_pairs(scores).item() == pytest.approx(expected)
    # Caption 0 fits picture 1 as well.
    both = tensor([[1, 0], [1, 1]]).bool()
    expected = -(math.log(3 / 4) + math.log(1 / 10) + math.log(1 / 2) + math.log(4 / 5)) / 2
    assert losses.sigmoid_pairs(scores, both).item() == pytest.approx(expected)


@quick
@given(SEEDS)
def test_sigmoid_pairs_knows_neither_order_nor_side_and_stays_finite(seed: int) -> None:
    scores, order = dice(seed, 6, 6), shuffle(seed, 6)
    loss = losses.sigmoid_pairs(scores)
    assert torch.allclose(losses.sigmoid_pairs(scores[order][:, order]), loss)
    assert torch.allclose(losses.sigmoid_pairs(scores.T), loss)
    assert losses.sigmoid_pairs(1e6 * scores).isfinite()


def test_the_hardest_triplet_by_hand() -> None:
    scores = tensor([[0.9, 0.8, 0.1], [0.2, 0.5, 0.4], [0.6, 0.3, 0.55]], dtype=torch.float64)
    # Rows: 0.2 + 0.8 - 0.9, 0.2 + 0.4 - 0.5, 0.2 + 0.6 - 0.55; columns: 0 (-0.1), 0.2 + 0.8 - 0.5, 0.2 + 0.4 - 0.55.
    assert losses.hardest_triplet(scores).item() == pytest.approx((0.1 + 0.1 + 0.25 + 0.0 + 0.5 + 0.05) / 3)


def test_what_belongs_together_is_never_a_negative() -> None:
    scores = tensor([[0.9, 0.8, 0.1], [0.2, 0.5, 0.4], [0.6, 0.3, 0.55]], dtype=torch.float64)
    same = tensor([[0, 1, 0], [0, 0, 0], [0, 0, 0]]).bool()
    # Picture 0 has caption 1 too: its row falls back on 0.1, and column 1 on 0.3.
    assert losses.hardest_triplet(scores, same=same).item() == pytest.approx((0.0 + 0.1 + 0.25 + 0.0 + 0.0 + 0.05) / 3)
    everything = torch.ones(3, 3, dtype=torch.bool)
    assert losses.hardest_triplet(scores, same=everything).item() == 0
    assert losses.hardest_triplet(scores[:1, :1]).item() == 0


@quick
@given(SEEDS, st.floats(0.01, 1))
def test_the_hardest_triplet_is_that_of_plain_loops(seed: int, margin: float) -> None:
    scores, count = dice(seed, 5, 5), 5
    total = 0.0
    for i in range(count):
        others = [j for j in range(count) if j != i]
        total += max(max(0.0, margin + float(scores[i, j] - scores[i, i])) for j in others)
        total += max(max(0.0, margin + float(scores[j, i] - scores[i, i])) for j in others)
    assert losses.hardest_triplet(scores, margin=margin).item() == pytest.approx(total / count)
    assert losses.hardest_triplet(scores + 10 * torch.eye(5), margin=margin).item() == 0


def test_the_label_triplet_by_hand() -> None:
    line = tensor([[0.0], [1.0], [1.5], [4.0], [9.0]], dtype=torch.float64)
    labels = tensor([0, 0, 1, 1, 2])
    # Farthest of the own label and nearest of another: 1 and 1.5, 1 and 0.5, 2.5 and 0.5, 2.5 and 3; the last is alone.
    hinges = [0.0, 0.2 + 1 - 0.5, 0.2 + 2.5 - 0.5, 0.0]
    assert losses.label_triplet(line, labels, margin=0.2).item() == pytest.approx(sum(hinges) / 4)


@pytest.mark.parametrize("labels", [[0, 1, 2], [4, 4, 4], [7]])
def test_a_batch_without_anchors_costs_nothing(labels: list[int]) -> None:
    vectors = dice(0, len(labels), 3).requires_grad_()
    loss = losses.label_triplet(vectors, tensor(labels), margin=0.5)
    loss.backward()
    assert loss.item() == 0
    assert vectors.grad is not None
    assert not vectors.grad.any()


def test_equal_vectors_have_a_finite_slope() -> None:
    vectors = torch.ones(4, 3).requires_grad_()
    losses.label_triplet(vectors, tensor([0, 0, 1, 1]), margin=0.2).backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()


@quick
@given(SEEDS)
def test_the_label_triplet_knows_neither_order_nor_names_nor_place(seed: int) -> None:
    vectors, labels, order = dice(seed, 8, 4), tensor([0, 0, 1, 1, 2, 2, 2, 3]), shuffle(seed, 8)
    loss = losses.label_triplet(vectors, labels, margin=0.3)
    turn = torch.linalg.qr(dice(seed + 1, 4, 4))[0]
    assert torch.allclose(losses.label_triplet(vectors[order], labels[order], margin=0.3), loss)
    assert torch.allclose(losses.label_triplet(vectors, 9 - labels, margin=0.3), loss)
    assert torch.allclose(losses.label_triplet(vectors @ turn + 1, labels, margin=0.3), loss)


def test_flops_and_l1_by_hand() -> None:
    weights = tensor([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0]])
    assert losses.flops(weights).item() == pytest.approx(2**2 + 0 + 1**2)
    assert losses.l1(weights).item() == pytest.approx((3 + 3) / 2)


@quick
@given(SEEDS)
def test_flops_is_the_mean_score_of_two_items_drawn_from_the_batch(seed: int) -> None:
    weights = dice(seed, 6, 9).relu()
    assert torch.allclose(losses.flops(weights), (weights @ weights.T).mean())


def test_flops_would_rather_spread_a_weight_than_pile_it_on_one_term() -> None:
    piled, spread = tensor([[1.0, 0.0], [1.0, 0.0]]), tensor([[1.0, 0.0], [0.0, 1.0]])
    assert losses.l1(piled) == losses.l1(spread)
    assert losses.flops(piled) > losses.flops(spread)


def test_caption_bce_by_hand() -> None:
    logits = tensor([[0.0, math.log(3)], [math.log(3), 0.0]], dtype=torch.float64)
    counts = tensor([[5, 0], [1, 0]])
    # Chances 1/2, 3/4, 3/4, 1/2; held, not, held, not.
    parts = [math.log(1 / 2), math.log(1 / 4), math.log(3 / 4), math.log(1 / 2)]
    assert losses.caption_bce(logits, counts).item() == pytest.approx(-sum(parts) / 2)
    weighed = [3 * parts[0], parts[1], 3 * parts[2], parts[3]]
    assert losses.caption_bce(logits, counts, positive_weight=3.0).item() == pytest.approx(-sum(weighed) / 2)
    a_term = tensor([3.0, 100.0])
    assert losses.caption_bce(logits, counts, positive_weight=a_term).item() == pytest.approx(-sum(weighed) / 2)


def test_distillation_by_hand() -> None:
    teacher = tensor([[math.log(3), 0.0], [0.0, math.log(3)]], dtype=torch.float64)
    student = torch.zeros(2, 2, dtype=torch.float64)
    divergence = 3 / 4 * math.log(3 / 4 / (1 / 2)) + 1 / 4 * math.log(1 / 4 / (1 / 2))
    assert losses.distill(student, teacher).item() == pytest.approx(divergence)
    # Margins: the teacher's are log 3, the student's 0.
    assert losses.margin_mse(student, teacher).item() == pytest.approx(math.log(3) ** 2)


@quick
@given(SEEDS)
def test_a_student_that_agrees_has_nothing_to_learn(seed: int) -> None:
    teacher, student = dice(seed, 5, 5), dice(seed + 1, 5, 5)
    assert losses.distill(teacher + 2, teacher).item() == pytest.approx(0, abs=1e-12)
    assert losses.margin_mse(teacher + 2, teacher).item() == pytest.approx(0, abs=1e-12)
    assert losses.distill(student, teacher) > 0
    assert losses.margin_mse(student, teacher) > 0


@pytest.mark.parametrize("loss", [losses.distill, losses.margin_mse])
def test_the_teacher_is_not_taught(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    student, teacher = dice(0, 4, 4).requires_grad_(), dice(1, 4, 4).requires_grad_()
    loss(student, teacher).backward()
    assert student.grad is not None
    assert student.grad.any()
    assert teacher.grad is None


LABELS = tensor([0, 0, 1, 1, 2, 2])
SCORED: dict[str, Callable[[Tensor], Tensor]] = {
    "info_nce": losses.info_nce,
    "sigmoid_pairs": losses.sigmoid_pairs,
    "hardest_triplet": losses.hardest_triplet,
    "label_triplet": lambda x: losses.label_triplet(x, LABELS, margin=0.5),
    "flops": losses.flops,
    "l1": losses.l1,
    "caption_bce": lambda x: losses.caption_bce(x, torch.eye(6)),
    "distill": lambda x: losses.distill(x, 3 * torch.eye(6, dtype=torch.float64)),
    "margin_mse": lambda x: losses.margin_mse(x, torch.eye(6, dtype=torch.float64)),
}


@pytest.mark.parametrize("name", SCORED)
def test_following_the_slope_makes_each_loss_smaller(name: str) -> None:
    values = dice(3, 6, 6).requires_grad_()
    before = SCORED[name](values)
    before.backward()
    assert values.grad is not None
    assert values.grad.isfinite().all()
    assert SCORED[name](values.detach() - 0.01 * values.grad) < before
    assert torch.autograd.gradcheck(SCORED[name], (dice(4, 6, 6).requires_grad_(),))
