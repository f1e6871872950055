"""The second step to `lexel-tiny`, the encoder that ships with lexel: training on what teach.py prepared.

    scripts/train-tiny train --cache /tmp/tiny --out encoders/lexel_tiny

Three steps, read from top to bottom: a dense teacher pair; the student's network; its projections, words and
calibration.
"""

import argparse
import copy
import json
import math
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lexel.encoders import Encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.backbones import ResidualBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig, ResidualNet
from lexel.encoders.model import Model
from lexel.encoders.term_weights import importance
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.calibrate.likely_words import Described, LookedAt, held, likely_words, usual
from lexel.pipeline.train.artifacts.calibration import calibrated
from lexel.pipeline.train.data import training_set as trained
from lexel.pipeline.train.tasks.head_task import HeadRecipe, cut

SIDE = 128  # pixels of a view, and of the finished encoder's input
SMALL = 96  # most of the training runs at this side, nearly twice as fast; the rest gets used to SIDE
DIM = 256
KEEP = 128
RECIPE = HeadRecipe(keep=KEEP)
NET = ResidualConfig(widths=(48, 96, 192, 384), depths=(1, 1, 2, 1), feature_dim=768, side=SIDE)
TRAINED = ("flickr_train", "caltech101", "imagenet_sample", "scenes")


class Lesson:
    """Everything that is learned from, in memory, and batches of it."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "lesson.json").read_text())
        self.texts: list[str] = about["texts"]
        self.captions: dict[str, list[list[str]]] = about["captions"]
        self.view_count: dict[str, int] = about["views"]
        self.views = {n: np.load(folder / f"{n}.views.npy", mmap_mode="r") for n in self.captions}
        self.features = {n: torch.from_numpy(np.load(folder / f"{n}.features.npy")).float() for n in self.captions}
        self.sentences = torch.from_numpy(np.load(folder / "sentences.npy")).float()
        row = {text: i for i, text in enumerate(self.texts)}
        self.rows = {n: [[row[c] for c in cs] for cs in captions] for n, captions in self.captions.items()}
        self.vocabulary = Vocabulary.from_captions(self._spoken(), min_count=5)
        self.counts = torch.zeros(len(self.texts), len(self.vocabulary), dtype=torch.uint8)
        for i, text in enumerate(self.texts):
            for term, n in self.vocabulary.count(text).items():
                self.counts[i, self.vocabulary.index[term]] = n
        every = torch.cat([self.features[n] for n in TRAINED])
        self.mean, self.std = every.mean(0), every.std(0) + 1e-3
        self.flickr = [("flickr_train", i) for i in range(len(self.captions["flickr_train"]))]
        self.others = [(n, i) for n in TRAINED[1:] for i in range(len(self.captions[n]))]
        self.dice = np.random.default_rng(0)

    def _spoken(self) -> list[str]:
        """Captions as people write them; scenes are few, so that document frequencies are those of speech.

        Labels would bring words that nobody types, and a rare word weighs much: they would crowd the top of every list.
        """
        drawn = [cs[0] for cs in self.captions["scenes"][:2500]]
        return [c for cs in self.captions["flickr_train"] for c in cs] + drawn

    def view(self, picture: tuple[str, int]) -> tuple[str, int]:
        name, i = picture
        return name, i * self.view_count[name] + int(self.dice.integers(self.view_count[name]))

    def text(self, picture: tuple[str, int]) -> int:
        rows = self.rows[picture[0]][picture[1]]
        return rows[self.dice.integers(len(rows))]

    def mixed(self, size: int, *, others: float) -> list[tuple[str, int]]:
        n = int(size * others)
        known = min(size - n, len(self.flickr))
        some = [self.flickr[j] for j in self.dice.choice(len(self.flickr), known, replace=False)]
        return some + [self.others[j] for j in self.dice.integers(0, len(self.others), n)]


# ---- losses that the steps share


def cosine_rate(progress: float, *, warm: float) -> float:
    return min(1.0, warm) * max(0.02, 0.5 * (1 + math.cos(math.pi * progress)))


def contrast(scores: Tensor, target: Tensor) -> Tensor:
    """InfoNCE in one direction, against soft targets."""
    return -(target * scores.log_softmax(1)).sum(1).mean()


def targets(texts: Tensor) -> Tensor:
    """Which captions of the batch are the picture's: its own, and equal ones (labels are shared by many pictures)."""
    same = (texts[:, None] == texts[None]).float()
    return same / same.sum(1, keepdim=True)


# ---- 1. the dense teacher pair: linear projections of what MobileNetV2 and MiniLM see


@dataclass(frozen=True)
class Teacher:
    """Unit vectors of every view by collection, of every text, and the scale of their similarity."""

    images: dict[str, Tensor]
    texts: Tensor
    scale: float


def teacher_pair(lesson: Lesson, *, steps: int) -> Teacher:
    image, text, scale = nn.Linear(1280, DIM), nn.Linear(384, DIM), nn.Parameter(torch.tensor(math.log(20.0)))
    adam = torch.optim.AdamW([*image.parameters(), *text.parameters(), scale], lr=2e-3, weight_decay=0.05)

    def seen(features: Tensor) -> Tensor:
        return (features - lesson.mean) / lesson.std

    for step in range(steps):
        adam.param_groups[0]["lr"] = 2e-3 * cosine_rate(step / steps, warm=step / 50)
        pictures = lesson.mixed(1024, others=0.2)
        features = torch.stack([lesson.features[n][i] for n, i in map(lesson.view, pictures)])
        rows = torch.tensor([lesson.text(p) for p in pictures])
        # The features of 6,000 pictures are learned by heart at once without this dropout.
        a = F.normalize(image(F.dropout(seen(features), 0.65)), dim=1)
        b = F.normalize(text(F.dropout(lesson.sentences[rows] * 10, 0.1)), dim=1)
        scores, target = a @ b.T * scale.exp(), targets(rows)
        loss = contrast(scores, target) + contrast(scores.T, target.T)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
    with torch.no_grad():
        images = {n: F.normalize(image(seen(f)), dim=1) for n, f in lesson.features.items()}
        return Teacher(images, F.normalize(text(lesson.sentences * 10), dim=1), float(scale.exp()))


# ---- 2. the student's network, taught features, vectors, captions and words at once


class Student(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = ResidualNet(NET)
        self.features, self.vector = nn.Linear(NET.feature_dim, 1280), nn.Linear(NET.feature_dim, DIM)


def pixels(views: npt.NDArray[np.uint8], *, side: int) -> Tensor:
    """[B, SIDE, SIDE, 3] uint8 to [B, 3, side, side] in -1..1, channels last, which bf16 convolutions on a CPU want."""
    x = (
        torch.from_numpy(views)
        .permute(0, 3, 1, 2)
        .contiguous(memory_format=torch.channels_last)
        .float()
        .div_(127.5)
        .sub_(1)
    )
    return x if side == SIDE else F.interpolate(x, size=side, mode="bilinear", antialias=True, align_corners=False)


def varied(x: Tensor) -> Tensor:
    flip = torch.rand(len(x)) < 0.5
    x[flip] = x[flip].flip(3)
    return x * (1 + 0.3 * (torch.rand(len(x), 1, 1, 1) - 0.5)) + 0.2 * (torch.rand(len(x), 1, 1, 1) - 0.5)


def train_student(lesson: Lesson, teacher: Teacher, *, minutes: float, size: int = 256) -> Student:
    student = Student().to(memory_format=torch.channels_last)
    average = copy.deepcopy(student).eval()
    matrices, vectors = [[p for p in student.parameters() if (p.dim() > 1) == m] for m in (True, False)]
    adam = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}], lr=1e-3
    )
    everything, left, began, step = lesson.flickr + lesson.others, list[int](), time.monotonic(), 0
    size = min(size, len(everything))
    while (progress := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in adam.param_groups:
            group["lr"] = 1e-3 * cosine_rate(progress, warm=(step + 1) / 200)
        left = left if len(left) >= size else list(lesson.dice.permutation(len(everything)))
        pictures = [everything[left.pop()] for _ in range(size)]
        loss = student_loss(student, lesson, teacher, pictures, side=SMALL if progress < 0.7 else SIDE)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        adam.step()
        keep = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), student.state_dict().values(), strict=True):
                a.lerp_(b, 1 - keep) if a.is_floating_point() else a.copy_(b)
        step += 1
        if step % 200 == 0:
            print(f"{progress:.0%} of the network, step {step}, loss {loss.item():.3f}", flush=True)
    return average


def student_loss(
    student: Student, lesson: Lesson, teacher: Teacher, pictures: list[tuple[str, int]], *, side: int
) -> Tensor:
    at = [lesson.view(p) for p in pictures]
    rows = torch.tensor([lesson.text(p) for p in pictures])
    x = varied(pixels(np.stack([lesson.views[n][i] for n, i in at]), side=side))
    with torch.autocast("cpu", torch.bfloat16):
        features = student.net(x)
    features = features.float()
    taught = (torch.stack([lesson.features[n][i] for n, i in at]) - lesson.mean) / lesson.std
    image, text = torch.stack([teacher.images[n][i] for n, i in at]), teacher.texts[rows]
    target = 0.5 * targets(rows) + 0.5 * (image @ text.T * teacher.scale).softmax(1)
    dropped = F.dropout(features, 0.1)
    vector = F.normalize(student.vector(dropped), dim=1)
    taught_features = (1 - F.cosine_similarity(student.features(features), taught)).mean()
    taught_vector = (1 - (vector * image).sum(1)).mean()
    return 2 * taught_features + 2 * taught_vector + 0.5 * contrast(vector @ text.T * teacher.scale, target)


# ---- 3. on the network's own features: projections, the text model, words cut to a budget, calibration


@torch.inference_mode()
def student_features(net: ResidualNet, views: npt.NDArray[np.uint8]) -> Tensor:
    parts = []
    for i in range(0, len(views), 250):
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(net(pixels(np.array(views[i : i + 250]), side=SIDE)).float())
    return torch.cat(parts).clone()


class Heads(nn.Module):
    """What is learned on frozen, standardised features; begins where the network's own training left it."""

    def __init__(self, student: Student, word_list: tuple[str, ...], terms: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        self.text, self.text_vector = BagText(BagConfig(word_list, width=192)), nn.Linear(192, DIM)
        self.vector, self.words = student.vector, nn.Linear(NET.feature_dim, terms)
        self.query = nn.Parameter(torch.zeros(terms))
        # Above zero: under the ReLU, a term that no picture wakes would get no gradient and stay asleep.
        nn.init.constant_(self.words.bias, 0.1)
        with torch.no_grad():
            self.vector.bias.add_(self.vector.weight @ mean)
            self.vector.weight *= std
        self.scale = nn.Parameter(torch.tensor(math.log(20.0)))

    @torch.no_grad()
    def begin(self, lesson: Lesson, teacher: Teacher, x: Tensor) -> None:
        """A word begins as the direction of the captions that hold it, in the pictures' own space."""
        rows = torch.tensor([r for rs in lesson.rows["flickr_train"] + lesson.rows["scenes"] for r in rs])
        held, vectors = lesson.counts[rows].float(), teacher.texts[rows]
        anchors = F.normalize(held.T @ vectors / held.sum(0)[:, None].clamp(min=1) - vectors.mean(0), dim=1)
        directions = anchors @ self.vector.weight
        self.words.weight.copy_(directions * (0.5 / (x @ directions.T).std()))

    def weights(self, x: Tensor) -> Tensor:
        return torch.log1p(self.words(x).relu()) * self.query.exp()

    def text_vectors(self, rows: Tensor) -> Tensor:
        return F.normalize(self.text_vector(self.text.net.pooled(rows)), dim=1)

    def model(self, net: ResidualNet, vocabulary: Vocabulary) -> Model:
        """The whole encoder, the standardisation folded back into its linear maps."""
        image = ResidualBackbone(net=NET, preprocess=Preprocess(SIDE))
        image.net.load_state_dict(net.state_dict())
        tower = PairTower(image, self.text, dim=DIM)
        tower.text_projection.load_state_dict(self.text_vector.state_dict())
        head = LexiconHead(features=NET.feature_dim, terms=len(vocabulary))
        with torch.no_grad():
            for to, linear in ((tower.image_projection, self.vector), (head.logits, self.words)):
                to.weight.copy_(linear.weight / self.std)
                to.bias.copy_(linear.bias - (linear.weight / self.std) @ self.mean)
            head.log_query.copy_(self.query)
        return Model(tower, head, vocabulary, keep=KEEP)


def train_heads(
    heads: Heads, lesson: Lesson, teacher: Teacher, features: dict[str, Tensor], *, steps: int, sparsity: float
) -> None:
    images = [*heads.vector.parameters(), *heads.words.parameters()]
    texts = [*heads.text.parameters(), *heads.text_vector.parameters()]
    groups = [
        {"params": images, "weight_decay": 0.1, "base": 5e-4},
        {"params": texts, "weight_decay": 0.02, "base": 2e-3},
        {"params": [heads.query, heads.scale], "weight_decay": 0.0, "base": 1e-3},
    ]
    adam, tokens = torch.optim.AdamW(groups), heads.text.net.rows(lesson.texts)
    worth, most = torch.from_numpy(importance(lesson.vocabulary.document_frequency)), len(lesson.vocabulary)
    for step in range(steps):
        progress = step / steps
        for group in adam.param_groups:
            group["lr"] = group["base"] * cosine_rate(progress, warm=step / 50)
        pictures = lesson.mixed(1000, others=0.3)
        at, rows = [lesson.view(p) for p in pictures], torch.tensor([lesson.text(p) for p in pictures])
        x = F.dropout(torch.stack([features[n][i] for n, i in at]), 0.35)
        image, taught = torch.stack([teacher.images[n][i] for n, i in at]), teacher.texts[rows]
        hard, soft = targets(rows), image @ taught.T * teacher.scale
        forth, back = 0.5 * hard + 0.5 * soft.softmax(1), 0.5 * hard.T + 0.5 * soft.T.softmax(1)
        some = tokens[rows] * (torch.rand(len(rows), tokens.shape[1]) > 0.1)
        text, vector = heads.text_vectors(some), F.normalize(heads.vector(x), dim=1)
        # The budget closes while it learns, or the cut at the end would throw away what it relies on.
        keep = RECIPE.budget(progress, most=most, least=KEEP)
        weights = heads.weights(x)
        dense, sparse = vector @ text.T * heads.scale.exp(), cut(weights, worth, keep) @ lesson.counts[rows].float().T
        distilled = (1 - (text * taught).sum(1)).mean() + (1 - (vector * image).sum(1)).mean()
        loss = contrast(dense, forth) + contrast(dense.T, back) + contrast(sparse, forth) + contrast(sparse.T, back)
        loss = loss + 3 * distilled + sparsity * weights.sum(1).mean() * min(1, 3 * progress)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()


def likely(model: Model, lesson: Lesson, features: dict[str, Tensor], sentences: list[str]) -> npt.NDArray[np.float32]:
    """Which words are said first, by captions of val and by labels, as `lexel-photo` has it too."""
    known, labelled = lesson.vocabulary, ("imagenet_sample", "caltech101")
    shares = usual(known, lesson.captions["flickr_train"], sentences)
    every = np.ones(len(known), bool)
    described = {"flickr_val": Described(features["flickr_val"], held(known, lesson.captions["flickr_val"]), every)}
    for name in labelled:
        whole, said = features[name][:: lesson.view_count[name]], held(known, lesson.captions[name])
        described[name] = Described(whole, said, np.asarray(said.any(0)))
    drawn = slice(600)  # as many as say something, and fewer than photographs
    said = held(known, lesson.captions["scenes"][drawn])
    described["scenes"] = Described(features["scenes"][drawn], said, every)
    looked_at = [LookedAt(described["flickr_val"].features, shares.here)]
    labels = described["imagenet_sample"]
    looked_at.append(LookedAt(labels.features, np.maximum(shares.mixed, labels.said.mean(0).astype(np.float32))))
    return likely_words(model, list(described.values()), shares, looked_at)


@torch.no_grad()
def calibration(
    model: Model, encoder: Encoder, lesson: Lesson, features: Tensor, name: str
) -> dict[str, dict[str, float]]:
    """What calibration.json holds, by the captions of a collection."""
    captions = lesson.captions[name]
    texts = tuple(caption for own in captions for caption in own)
    owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
    seen = trained.TrainingSet((features.half().numpy(),), texts, owner)
    return calibrated(model, encoder, seen, torch.from_numpy(model.text_vectors(texts)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/train-tiny train", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder that the step teach wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder that receives the encoder")
    parser.add_argument("--minutes", type=float, default=38, help="for the network; the rest takes about ten")
    parser.add_argument("--steps", type=int, default=700, help="for the heads")
    parser.add_argument("--teacher-steps", type=int, default=1000, help="for the teacher pair")
    parser.add_argument(
        "--sentences", type=Path, required=True, help="file of captions of other photographs, a line each"
    )
    options = parser.parse_args()
    torch.manual_seed(0)
    lesson = Lesson(options.cache)
    teacher = teacher_pair(lesson, steps=options.teacher_steps)
    path, student = options.cache / "student.safetensors", Student()
    if path.exists():
        student.load_state_dict(load_file(path))
    else:
        student = train_student(lesson, teacher, minutes=options.minutes)
        save_file({k: v.contiguous() for k, v in student.state_dict().items()}, path)
    net = student.net.eval().to(memory_format=torch.channels_last)
    raw = {name: student_features(net, views) for name, views in lesson.views.items()}
    every = torch.cat([raw[n] for n in TRAINED])
    mean, std = every.mean(0), every.std(0) + 1e-3
    features = {name: (x - mean) / std for name, x in raw.items()}
    seen = Counter(w for n in TRAINED for cs in lesson.captions[n] for c in set(cs) for w in set(words(c)))
    word_list = tuple(sorted(w for w, n in seen.items() if n >= 2))
    heads = Heads(student, word_list, len(lesson.vocabulary), mean, std)
    heads.begin(lesson, teacher, features["flickr_train"][:2000])
    train_heads(heads, lesson, teacher, features, steps=options.steps, sparsity=2e-3)
    card = (options.out / "README.md").read_text() if (options.out / "README.md").exists() else ""
    model = heads.eval().model(net, lesson.vocabulary)
    first = likely(model, lesson, raw, options.sentences.read_text().splitlines())
    model = Model(model.tower, model.head, lesson.vocabulary, keep=KEEP, likely=first)
    encoder = model.save(options.out, name="lexel-tiny", card=card)
    known = calibration(model, encoder, lesson, raw["flickr_val"], "flickr_val")
    (options.out / "calibration.json").write_text(json.dumps(known, indent=1) + "\n")
    print(f"{encoder.name} {encoder.fingerprint}, calibrated {known}: `lexel evaluate` says how good it is")


if __name__ == "__main__":
    main()
