"""What the heads are trained on, with plain arithmetic beside it."""

import numpy as np
import pytest
import torch
from support import making, training
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import Trainable
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.term_weights import importance
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import TermCounts
from lexel.pipeline.train.tasks.dense_teacher import DenseTeacher
from lexel.pipeline.train.tasks.head_task import HeadRecipe, HeadTask, SplitScores
from lexel.pipeline.train.tasks.schedule import Schedule

KNOWN = making.vocabulary()
SCHEDULE = Schedule(epochs=2, batch=4, rate=1e-3)


def side(seed: int) -> SplitScores:
    """Eight pictures with random features, captioned by known and unknown words; vectors are the features."""
    dice = np.random.default_rng(seed)
    words = [*KNOWN.forms, "unknown", "words"]
    lesson = training.lesson([tuple(" ".join(dice.choice(words, 4)) for _ in range(1 + i % 3)) for i in range(8)])
    texts = normalize(torch.from_numpy(dice.normal(size=(len(lesson.texts), 6))).float(), dim=1)
    return SplitScores(
        lesson, TermCounts.of(lesson.texts, KNOWN), DenseTeacher(lambda x: normalize(x, dim=1), texts, 5.0)
    )


def task(head: Trainable, recipe: HeadRecipe) -> HeadTask:
    train = side(0)
    return HeadTask(
        head,
        train=train,
        val=side(1),
        standard=Standardizer.of(train.dataset.sample(100)),
        worth=torch.from_numpy(importance(KNOWN.document_frequency)),
        recipe=recipe,
        device=torch.device("cpu"),
    )


def test_caption_words_are_those_of_all_captions_of_the_picture_itself() -> None:
    made = task(WordClassifierHead(features=6, terms=len(KNOWN)), HeadRecipe(SCHEDULE, dropout=0.0, mix=0.4))
    lesson, head = made.train.dataset, made.module.head
    batch = next(lesson.batches(size=4, seed=0, epoch=0))
    held = torch.zeros(4, len(KNOWN))
    for row, picture in enumerate(batch.pictures):
        for text in (t for t, owner in zip(lesson.texts, lesson.owner, strict=True) if owner == picture):
            held[row, [KNOWN.index[term] for term in KNOWN.count(text)]] = 1
    assert isinstance(head, WordClassifierHead)
    logits = head.logits(made.standard(batch.features))
    expected = binary_cross_entropy_with_logits(logits, held, reduction="sum") / 4
    assert float(made.loss(batch, 0.0)[0].detach()) == pytest.approx(
        float(expected.detach()), rel=2e-2
    )  # bfloat16 where there is some


@pytest.mark.parametrize("mix", [0.0, 0.4])
@pytest.mark.parametrize("kind", [LexiconHead, ExpandHead])
def test_contrast_has_a_slope_for_every_part_that_learns(kind: type, mix: float) -> None:
    sizes = {"dim": 6} if kind is ExpandHead else {}
    made = task(kind(features=6, terms=len(KNOWN), **sizes), HeadRecipe(SCHEDULE, dropout=0.0, mix=mix, keep=5))
    made.module.train()
    for epoch, progress in ((0, 0.0), (1, 0.99)):
        for batch in made.train.dataset.batches(size=4, seed=0, epoch=epoch):
            loss, told = made.loss(batch, progress)
            loss.backward()
            assert torch.isfinite(loss)
            assert 0 <= told["terms/image"] <= len(KNOWN)
    for name, weights in made.module.named_parameters():
        assert weights.grad is not None, name
        assert torch.isfinite(weights.grad).all(), name
        assert weights.grad.abs().sum() > 0, name


def test_query_weights_can_be_left_out() -> None:
    made = task(LexiconHead(features=6, terms=len(KNOWN)), HeadRecipe(SCHEDULE, query_weights=False))
    made.loss(next(made.train.dataset.batches(size=4, seed=0, epoch=0)), 0.0)[0].backward()
    assert isinstance(made.module.head, LexiconHead)
    assert made.module.head.log_query.grad is None


def test_val_is_judged_by_what_would_be_stored() -> None:
    made = task(LexiconHead(features=6, terms=len(KNOWN)), HeadRecipe(SCHEDULE, keep=3))
    figures = made.judge(made.module.eval())
    assert figures["kept/image"] <= 3
    assert figures["R"] == pytest.approx((figures["R@1"] + figures["R@5"] + figures["R@10"]) / 3, abs=0.01)
