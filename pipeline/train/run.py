"""Trains an encoder: features, towers, head, then the encoder's folder."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lexel.encoders import Encoder, Vocabulary
from lexel.encoders.encoder import read_encoder
from lexel.encoders.heads.head import AnyHead
from lexel.encoders.heads.labels import label_texts, label_vocabulary
from lexel.encoders.model import Model
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.runtime.packaged_weights import MINILM
from lexel.encoders.runtime.precision import fast
from lexel.encoders.term_weights import importance
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.near_words import NEAR_WORDS, NearWords
from lexel.pipeline.atomic import replacing_folder
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.paths import training_folder
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.sources.source import Source
from lexel.pipeline.train import head_factory, output_folder
from lexel.pipeline.train.artifacts import training_id
from lexel.pipeline.train.artifacts.calibration import calibrated
from lexel.pipeline.train.artifacts.model_card import card
from lexel.pipeline.train.artifacts.training_id import text_origin
from lexel.pipeline.train.artifacts.word_neighbours import word_neighbours
from lexel.pipeline.train.artifacts.write import write_artifacts
from lexel.pipeline.train.data.image_features import training_sets
from lexel.pipeline.train.data.splits import splits
from lexel.pipeline.train.data.standardize import Standardizer, fold_head, fold_tower, unfold_tower
from lexel.pipeline.train.data.text_features import text_features
from lexel.pipeline.train.data.training_set import Batch, TermCounts, TrainingSet
from lexel.pipeline.train.starting_encoder import StartingEncoder, open_starting_encoder
from lexel.pipeline.train.tasks.dense_teacher import DenseTeacher, likeliest_scale
from lexel.pipeline.train.tasks.head_task import HeadTask, SplitScores, further
from lexel.pipeline.train.tasks.loop import Figures, History, Task, fit
from lexel.pipeline.train.tasks.schedule import Schedule
from lexel.pipeline.train.tasks.tower_task import Loss, Texts, TowerTask
from lexel.pipeline.train.training_options import TrainOptions


@dataclass(frozen=True)
class TrainingReporter:
    """Callbacks of a training: progress of its steps, and (stage, epoch, epochs, figures) after each epoch."""

    watch: Watch = unwatched
    epoch: Callable[[str, int, int, Figures], None] = lambda *_: None


@dataclass(frozen=True)
class Trained:
    """The trained encoder, and the learning curves of the stages "towers" and "head"."""

    encoder: Encoder
    stages: dict[str, History]


def train_encoder(
    source: Source,
    out: Path,
    *,
    encoder: str = "lexel-photo",
    work: Path | None = None,
    options: TrainOptions = TrainOptions(),
    reporter: TrainingReporter = TrainingReporter(),
) -> Trained:
    """Train an encoder on the captions (or labels) of `source` and write it to `out`.

    `encoder` is the encoder to start from, or a pair IMAGE+TEXT. The folder `work`, by default one of lexel's own, has
    encoded features and the state of the training, which the same call resumes. Raises ConfigError if the options are
    incompatible or `out` is in use, SourceError if there are no images to learn from.
    """
    output_folder.check(out)
    work = work or training_folder(str(source.place))
    sides = splits(source, labelled=options.tower == "labels")
    captions = [caption for item in sides.train.items() for caption in item.captions]
    base = open_starting_encoder(encoder, folder=work, captions=captions, options=options)
    head_factory.check(base, options)
    # Before encoding, which takes hours, so that errors are raised early.
    vocabulary = _vocabulary(base, captions if sides.captioned or options.head != "labels" else [], options)
    place = work / f"features-{base.features.features_id}"
    both = training_sets(
        sides,
        place,
        encoder=base.features,
        views=options.views,
        batch_size=options.batch_size,
        device=options.device,
        watch=reporter.watch,
    )
    run = _Run(base, *both, options, work, reporter, training_id.origin(base.tower))
    stages: dict[str, History] = {}
    teach, judge, history = run.towers()
    if history is not None:
        stages["towers"] = history
    head, history = run.head(vocabulary, teach, judge)
    if history is not None:
        stages["head"] = history
    likely = base.words.likely_of(vocabulary) if base.words else None
    model = Model(base.tower, head, vocabulary, keep=options.keep, device=options.device, likely=likely)
    with replacing_folder(out) as new:
        saved = model.save(new, name=out.resolve().name, features=base.features.features_id)
        near = _near_words(base, vocabulary)
        if near.terms_of:
            near.save(new / NEAR_WORDS)
        calibration = calibrated(model, saved, both[1], judge.texts)
        text = card(saved, options=options, stages=stages, start=encoder, train=both[0], val=both[1])
        write_artifacts(new, calibration=calibration, stages=stages, card=text)
    return Trained(read_encoder(out), stages)


def _vocabulary(base: StartingEncoder, captions: list[str], options: TrainOptions) -> Vocabulary:
    if not captions and options.head == "labels" and base.image is not None:
        return label_vocabulary(label_texts(base.image))
    vocabulary = Vocabulary.from_captions(
        captions, min_count=options.min_count, size=options.size, aliases=options.aliases, banned=options.banned
    )
    if not len(vocabulary) and not base.words:
        raise ConfigError(
            f"No word stands in {options.min_count} of the {len(captions):,} captions; lower --min-count, or ban fewer."
        )
    return base.words.vocabulary.joined(vocabulary) if base.words else vocabulary


def _near_words(base: StartingEncoder, vocabulary: Vocabulary) -> NearWords:
    """The everyday words that the vocabulary does not have, with the nearest that it has.

    The starting encoder's table where its words are kept. A new one is made where the text side is the packaged model,
    for which the threshold is known.
    """
    if base.words:
        return base.words.near.among(vocabulary.terms, vocabulary.forms)
    text = base.tower.config().get("text", {})
    return word_neighbours(vocabulary) if text.get("package") == MINILM.module else NearWords()


@dataclass(frozen=True)
class _Run:
    """A running training: starting encoder, datasets and options."""

    base: StartingEncoder
    train: TrainingSet
    val: TrainingSet
    options: TrainOptions
    work: Path
    reporter: TrainingReporter
    origin: str  # identifies the towers before training

    def towers(self) -> tuple[DenseTeacher, DenseTeacher, History | None]:
        """Train the projections of the pair if the options say so; return the dense teachers on train and val."""
        tower, loss = self.base.tower, self._loss()
        kept = self._kept_texts()
        history = None
        if loss is not None:
            assert isinstance(tower, PairTower)  # checked by head_factory.check
            history = self._align(tower, loss, kept)
        vectors = [self._text_vectors(dataset, own) for dataset, own in zip((self.train, self.val), kept, strict=True)]
        scale = likeliest_scale(tower, self.val, vectors[1])
        matrix = tower.image_projection.weight.detach() if isinstance(tower, PairTower) else None
        teach, judge = (DenseTeacher(tower.image_vectors, texts, scale, matrix) for texts in vectors)
        return teach, judge, history

    def _loss(self) -> Loss | None:
        if self.options.tower == "auto":
            return None if self.base.trained else "infonce"
        return None if self.options.tower == "keep" else self.options.tower

    def _kept_texts(self) -> list[Tensor | None]:
        """The text features of train and val; None if the text tower is trained."""
        tower = self.base.tower
        if isinstance(tower, PairTower) and tower.text.learned and self._loss() is not None:
            return [None, None]
        encode = tower.text if isinstance(tower, PairTower) else tower.texts

        def model(texts: Sequence[str]) -> Tensor:
            with fast(resolve_device(self.options.device)):
                return encode(texts)

        text_id = text_origin(tower)
        found: list[Tensor | None] = []
        for dataset in (self.train, self.val):
            place = self.work / f"texts-{training_id.digest(text_id, dataset.texts)}"
            with self.reporter.watch("Encoding captions") as bar:
                found.append(text_features(dataset.texts, place, model=model, progress=bar))
        return found

    def _align(self, tower: PairTower, loss: Loss, kept: list[Tensor | None]) -> History:
        recipe = self.options.tower_recipe(loss)
        standard = Standardizer.of(tower.summary(self.train.sample(20_000)))
        text_std = float(kept[0][:20_000].float().std()) if kept[0] is not None else 1.0
        if self.base.trained:
            unfold_tower(tower, standard, text_std)
        task = TowerTask(
            tower,
            train=(self.train, Texts(self.train.texts, kept[0])),
            val=(self.val, Texts(self.val.texts, kept[1])),
            standard=standard,
            text_std=text_std,
            recipe=recipe,
            device=resolve_device(self.options.device),
        )
        history = self._fit("towers", task, recipe.schedule, [])
        fold_tower(tower, standard, text_std)
        return history

    def _text_vectors(self, dataset: TrainingSet, kept: Tensor | None) -> Tensor:
        """The unit vectors [C, D] of the captions of a dataset, by the current towers."""
        tower = self.base.tower
        device = resolve_device(self.options.device)
        tower.eval().to(device)
        parts = []
        with torch.inference_mode():
            for rows in torch.split(torch.arange(len(dataset.texts)), 1024):
                if kept is None or not isinstance(tower, PairTower):
                    vectors = tower.texts([dataset.texts[i] for i in rows]) if kept is None else kept[rows].float()
                else:
                    vectors = normalize(tower.text_projection(kept[rows].to(device).float()), dim=1)
                parts.append(vectors.cpu())
        return torch.cat(parts).clone() if parts else torch.zeros(0, tower.dim)

    def head(self, vocabulary: Vocabulary, teach: DenseTeacher, judge: DenseTeacher) -> tuple[AnyHead, History | None]:
        """The head, and its learning curve if it is a trained one."""
        if self.options.head in {"labels", "zeroshot"}:
            return head_factory.untrained(self.options.head, self.base, vocabulary, self.train), None
        regions = head_factory.regions_of(self.base.tower)
        torch.manual_seed(self.options.seed)
        standard = Standardizer.of(self.train.sample(20_000), regions=regions)
        words, recipe = self.base.words, self.options.head_recipe()
        if words is None:
            head = head_factory.trainable(
                self.options.head, self.base.tower, len(vocabulary), hidden=self.options.hidden
            )
        else:
            head = head_factory.continued(words, vocabulary, standard)
            recipe = further(recipe)
        task = HeadTask(
            head,
            train=SplitScores(self.train, TermCounts.of(self.train.texts, vocabulary), teach),
            val=SplitScores(self.val, TermCounts.of(self.val.texts, vocabulary), judge),
            standard=standard,
            worth=torch.from_numpy(importance(vocabulary.document_frequency)),
            recipe=recipe,
            device=resolve_device(self.options.device),
            begun=words.head.terms if words else 0,
        )
        begun = training_id.weights(words.head) if words else None
        history = self._fit(
            f"head-{self.options.head}", task, recipe.schedule, [asdict(recipe), head.config(), vocabulary.hash, begun]
        )
        fold_head(head, standard)
        return head, history

    def _fit(self, stage: str, task: Task[Batch], schedule: Schedule, about: object) -> History:
        loss = self._loss()
        towers = [self.origin, asdict(self.options.tower_recipe(loss)) if loss else None]
        datasets = [[one.texts, one.labels, len(one), len(one.views)] for one in (self.train, self.val)]
        return fit(
            task,
            lambda epoch: self.train.batches(size=schedule.batch, seed=schedule.seed, epoch=epoch),
            steps=self.train.steps(schedule.batch),
            schedule=schedule,
            saved=self.work / f"{stage}.pt",
            identity=training_id.digest(stage, about, towers, self.base.features.features_id, datasets),
            tell=lambda epoch, figures: self.reporter.epoch(stage, epoch, schedule.epochs, figures),
        )
