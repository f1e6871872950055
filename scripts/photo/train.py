"""The second step to `lexel-photo`: training on what features.py prepared.

    scripts/train-photo train --shared ../shared --cache /tmp/photo --out encoders/lexel_photo

Read from top to bottom: the data; vectors; words that captions teach; words that they do not (wide_head.py); which
words are said first; the encoder's folder.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from features import CPU, backbone
from lesson import SENTENCES, collections, imagenet_labels, label_words, sentences, taught, untaught, vocabulary
from torch import Tensor
from torch.nn.functional import normalize
from wide_head import Evidence, class_logits, widened

from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.model import Model
from lexel.encoders.runtime.packaged_weights import MINILM
from lexel.encoders.term_weights import importance
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.calibrate.likely_words import (
    Described,
    LookedAt,
    Usual,
    held,
    kept_weights,
    likely_words,
    said_first,
    usual,
)
from lexel.pipeline.stats.over_said import over_said
from lexel.pipeline.train.artifacts.calibration import calibrated
from lexel.pipeline.train.data.standardize import Standardizer, fold_head, fold_tower
from lexel.pipeline.train.data.training_set import Batch, TermCounts, TrainingSet
from lexel.pipeline.train.tasks.dense_teacher import DenseTeacher, likeliest_scale
from lexel.pipeline.train.tasks.head_task import HeadRecipe, HeadTask, SplitScores
from lexel.pipeline.train.tasks.loop import Figures, Task, fit
from lexel.pipeline.train.tasks.schedule import Schedule
from lexel.pipeline.train.tasks.tower_task import Texts, TowerRecipe, TowerTask

TAUGHT_BY = ("flickr_train", "imagenet_sample", "caltech101")
DIM, HIDDEN = 512, 512
# As many hidden units as the size of the shipped folder allows.
HEAD_HIDDEN = 256
TOWER = TowerRecipe(schedule=Schedule(epochs=10, batch=1000, rate=2e-3, decay=0.05))
HEAD = HeadRecipe(schedule=Schedule(epochs=12, batch=1000, rate=1e-3), soft=0.7, dropout=0.35)


@dataclass(frozen=True)
class Split:
    """Pictures with captions, and the features [C, T] of these."""

    pictures: TrainingSet
    texts: Tensor


class Lesson:
    """Everything that features.py wrote, in memory."""

    def __init__(self, shared: Path, cache: Path, epochs: int | None) -> None:
        self.shared, self.cache, self.epochs = shared, cache, epochs
        self.vocabulary = vocabulary(shared)
        # Vectors of people's captions get worse by a third of labels, from which words learn much.
        self.aligned = self._joined("flickr_train", "imagenet_sample")
        self.train = self._joined(*TAUGHT_BY)
        self.val = self._joined("flickr_val")

    def seen(self, name: str) -> Tensor:
        """The features [P, F] of the whole pictures of a collection."""
        return torch.from_numpy(np.load(self.cache / f"{name}.view-0.npy")).float()

    def texts(self, name: str) -> Tensor:
        return torch.from_numpy(np.load(self.cache / f"{name}.texts.npy")).float()

    def _joined(self, *names: str) -> Split:
        some = [collections(self.shared)[name] for name in names]
        count = len(list(self.cache.glob(f"{names[0]}.view-*.npy")))
        # Labelled pictures have one view, which stands for all.
        views = [
            np.concatenate([np.load(self._view(name, number)) for name in names]).astype(np.float16)
            for number in range(count)
        ]
        captions = [own for one in some for own in one.captions]
        owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
        texts = tuple(caption for own in captions for caption in own)
        labels = tuple(label or None for one in some for label in one.labels)
        return Split(TrainingSet(tuple(views), texts, owner, labels), torch.cat([self.texts(name) for name in names]))

    def _view(self, name: str, number: int) -> Path:
        path = self.cache / f"{name}.view-{number}.npy"
        return path if path.exists() else self.cache / f"{name}.view-0.npy"


def told(stage: str) -> Callable[[int, Figures], None]:
    def tell(epoch: int, figures: Figures) -> None:
        said = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
        print(f"{stage}, epoch {epoch + 1}: {said}", flush=True)

    return tell


def learn(stage: str, task: Task[Batch], lesson: Lesson, data: TrainingSet, schedule: Schedule, identity: str) -> None:
    schedule = replace(schedule, epochs=lesson.epochs or schedule.epochs)
    fit(
        task,
        lambda epoch: data.batches(size=schedule.batch, seed=schedule.seed, epoch=epoch),
        steps=data.steps(schedule.batch),
        schedule=schedule,
        saved=lesson.cache / f"{stage}.pt",
        identity=identity,
        tell=told(stage),
    )


# ---- vectors: projections of both backbones into one space


def train_tower(lesson: Lesson) -> PairTower:
    torch.manual_seed(0)
    tower = PairTower(backbone(), TransformersText(MINILM), dim=DIM, hidden=HIDDEN).eval()
    standard = Standardizer.of(lesson.aligned.pictures.sample(20_000))
    text_std = float(lesson.aligned.texts[:20_000].std())
    train, val = (
        (split.pictures, Texts(split.pictures.texts, split.texts.half())) for split in (lesson.aligned, lesson.val)
    )
    task = TowerTask(tower, train=train, val=val, standard=standard, text_std=text_std, recipe=TOWER, device=CPU)
    data = lesson.aligned.pictures
    learn("tower", task, lesson, data, TOWER.schedule, f"{TOWER}{len(data.views)}")
    fold_tower(tower, standard, text_std)
    return tower.eval()


@torch.inference_mode()
def text_vectors(tower: PairTower, features: Tensor) -> Tensor:
    return normalize(tower.text_projection(features), dim=1).clone()


# ---- words that captions of pictures teach


def restricted(known: Vocabulary, terms: tuple[str, ...]) -> Vocabulary:
    kept = set(terms)
    forms = {form: term for form, term in known.forms.items() if term in kept}
    return Vocabulary(terms, forms, tuple(known.document_frequency[known.index[term]] for term in terms))


def train_head(lesson: Lesson, tower: PairTower, standard: Standardizer) -> LexiconHead:
    """A head for the taught words, for standardised features."""
    words = restricted(lesson.vocabulary, taught(lesson.shared))
    torch.manual_seed(0)
    head = LexiconHead(features=tower.image.dim, terms=len(words), hidden=HEAD_HIDDEN)
    vectors = [text_vectors(tower, split.texts) for split in (lesson.train, lesson.val)]
    scale = likeliest_scale(tower, lesson.val.pictures, vectors[1])
    matrix = tower.image_projection.weight.detach()
    train, val = (
        SplitScores(
            split.pictures,
            TermCounts.of(split.pictures.texts, words),
            DenseTeacher(tower.image_vectors, own, scale, matrix),
        )
        for split, own in zip((lesson.train, lesson.val), vectors, strict=True)
    )
    worth = torch.from_numpy(importance(words.document_frequency))
    task = HeadTask(head, train=train, val=val, standard=standard, worth=worth, recipe=HEAD, device=CPU)
    data = lesson.train.pictures
    learn("head", task, lesson, data, HEAD.schedule, f"{HEAD}{TOWER}{words.hash}{len(data.views)}")
    return head.eval()


# ---- the words that they do not teach, and all into one encoder


def evidence(lesson: Lesson, tower: PairTower) -> Evidence:
    """What the text encoder and the classifier say of the untaught words on the pictures to learn from."""
    terms, features = untaught(lesson.shared), lesson.train.pictures.features(np.arange(len(lesson.train.pictures)))
    vectors = text_vectors(tower, lesson.texts("untaught")).view(len(terms), SENTENCES + 1, -1)
    usual = text_vectors(tower, lesson.train.texts).mean(0)
    with torch.inference_mode():
        images = tower.image_vectors(features)
    assert isinstance(tower.image, TimmBackbone)
    labels = imagenet_labels(lesson.shared)
    known = lesson.vocabulary.forms
    classes = {
        term: [place for place, label in enumerate(labels) if term in map(known.get, label_words(lesson.shared)[label])]
        for term in terms
    }
    zero_shot = images @ normalize(vectors.mean(1) - usual, dim=1).T
    said = [own for name in TAUGHT_BY for own in collections(lesson.shared)[name].captions]
    shown = torch.from_numpy(held(lesson.vocabulary, said)[:, [lesson.vocabulary.index[term] for term in terms]])
    logits = class_logits(tower.image, features, [classes[term] for term in terms])
    return Evidence(terms, zero_shot, logits, shown)


# ---- which words are said first


def words_said(lesson: Lesson) -> dict[str, Described]:
    """What is known to be said of pictures: all taught words by captions, words of labels by labels."""
    known = lesson.vocabulary
    learned = np.isin(known.terms, taught(lesson.shared))
    labelled = np.isin(
        known.terms, [t for words in label_words(lesson.shared).values() for t in map(known.forms.get, words) if t]
    )
    found = {}
    for name, of_which in (("flickr_val", learned), ("imagenet_sample", labelled), ("caltech101", labelled)):
        said = held(known, collections(lesson.shared)[name].captions)
        found[name] = Described(lesson.seen(name), said, of_which)
    return found


def usual_shares(lesson: Lesson) -> Usual:
    captions = collections(lesson.shared)["flickr_train"].captions
    return usual(lesson.vocabulary, captions, sentences(lesson.shared))


def looked_at(lesson: Lesson, described: Mapping[str, Described], shares: Usual) -> list[LookedAt]:
    """Collections of three sources, so that none of them is fitted."""
    labelled = np.maximum(shares.mixed, described["imagenet_sample"].said.mean(0, dtype=np.float32))
    return [
        LookedAt(described["flickr_val"].features, shares.here),
        LookedAt(described["imagenet_sample"].features, labelled),
        LookedAt(lesson.seen("photos"), shares.mixed),
    ]


def report(model: Model, described: Mapping[str, Described], others: LookedAt) -> None:
    """Print how many of the first five words are true, and the words that are said too often."""
    assert model.likely is not None
    for name, one in described.items():
        first = said_first(kept_weights(model, one.features), model.likely, 5)
        if name == "flickr_val":
            print(f"{name}: {one.said[first].mean():.1%} of the first five words stand in a caption")
        else:
            print(f"{name}: {(first & one.said & one.known).any(1).mean():.1%} of the pictures say their label so")
    share = said_first(kept_weights(model, others.features), model.likely).mean(0)
    wrong = [f"{one.term} {one.said:.0%}" for one in over_said(model.vocabulary.terms, share, others.expected)]
    print(f"photographs of another source: {len(wrong)} words said too often: {', '.join(wrong)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/train-photo train", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/")
    parser.add_argument("--cache", type=Path, required=True, help="folder that the step features wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder that receives the encoder")
    parser.add_argument("--epochs", type=int, help="of each training, in the place of the recipe's")
    options = parser.parse_args()
    torch.manual_seed(0)
    lesson = Lesson(options.shared, options.cache, options.epochs)
    tower = train_tower(lesson)
    standard = Standardizer.of(lesson.train.pictures.sample(20_000))
    narrow = train_head(lesson, tower, standard)
    head = widened(
        narrow, taught(lesson.shared), lesson.vocabulary, standard, lesson.train.pictures, evidence(lesson, tower)
    )
    fold_head(head, standard)
    described, shares = words_said(lesson), usual_shares(lesson)
    seen = looked_at(lesson, described, shares)
    likely = likely_words(Model(tower, head, lesson.vocabulary), list(described.values()), shares, seen)
    card = (options.out / "README.md").read_text() if (options.out / "README.md").exists() else ""
    model = Model(tower, head, lesson.vocabulary, likely=likely)
    encoder = model.save(options.out, name="lexel-photo", card=card)
    calibration = calibrated(model, encoder, lesson.val.pictures, text_vectors(tower, lesson.val.texts))
    kept = options.out / "calibration.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(known | calibration, indent=1) + "\n")
    report(model, described, LookedAt(lesson.seen("photos"), shares.mixed))
    print(f"{encoder.name} {encoder.fingerprint}, calibrated {calibration}: `lexel evaluate` says how good it is")


if __name__ == "__main__":
    main()
