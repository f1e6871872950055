"""Fine-tunes a dual encoder end to end on captioned images."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from lexel.encoders import Encoder, Vocabulary, open_encoder
from lexel.encoders import towers as towers_of
from lexel.encoders.encoder import read_encoder
from lexel.encoders.heads.zero_shot import ZeroShotHead
from lexel.encoders.model import Model
from lexel.encoders.pair import is_pair
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.towers import DualTower
from lexel.pipeline.atomic import replacing_folder
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.paths import training_folder
from lexel.pipeline.sources.source import Source
from lexel.pipeline.train import output_folder
from lexel.pipeline.train.artifacts import training_id
from lexel.pipeline.train.artifacts.calibration import calibrated
from lexel.pipeline.train.artifacts.model_card import card
from lexel.pipeline.train.artifacts.write import BEFORE, write_artifacts
from lexel.pipeline.train.data.image_batches import ImageDataset
from lexel.pipeline.train.data.splits import splits
from lexel.pipeline.train.run import TrainingReporter
from lexel.pipeline.train.tasks.dual_encoder_task import ContrastRecipe, ContrastTask, encode_images, encode_texts
from lexel.pipeline.train.tasks.loop import Figures, History, fit
from lexel.pipeline.train.training_options import TrainOptions

# Images by which the zero-shot head is calibrated.
_SHOWN = 5000


@dataclass(frozen=True)
class Finetuned:
    """The encoder, its figures on val before training and after each epoch, and uri -> reason of unreadable images."""

    encoder: Encoder
    before: Figures
    history: History
    failed: Mapping[str, str]

    @property
    def better(self) -> bool:
        """Whether recall on val is higher than before."""
        return self.history.epochs[self.history.best]["R"] > self.before["R"]


def finetune_encoder(
    source: Source,
    out: Path,
    *,
    encoder: str,
    work: Path | None = None,
    recipe: ContrastRecipe = ContrastRecipe(),
    reporter: TrainingReporter = TrainingReporter(),
    device: str = "auto",
    workers: int | None = None,
) -> Finetuned:
    """Fine-tune the dual encoder `encoder` on the captions of `source` and write it to `out`.

    The vocabulary is kept, and the head is the zero-shot one, which needs no training. The state is saved in `work`
    after each epoch. Images that cannot be read are skipped. Raises ConfigError if `encoder` is no dual encoder or a
    batch does not fit on the GPU, SourceError if there are no images to train on.
    """
    output_folder.check(out)
    base, tower = _open(encoder, out)
    where = resolve_device(device)
    sides = splits(source)
    train, val = (
        ImageDataset(side, preprocessor=tower, device=where, workers=workers, watch=reporter.watch)
        for side in (sides.train, sides.val)
    )
    task = ContrastTask(tower, val=val, recipe=recipe, device=where)
    work = work or training_folder(str(source.place))
    work.mkdir(parents=True, exist_ok=True)
    try:
        before = task.judge(task.module)
        reporter.epoch("finetune", -1, recipe.schedule.epochs, before)
        history = _fit(task, train, recipe, work / "finetune.pt", _identity(base, train, val, recipe), reporter)
    except torch.OutOfMemoryError as error:
        raise ConfigError(
            f"{recipe.chunk or recipe.schedule.batch} pictures at once are too many for this GPU; give --chunk, which "
            "takes a batch through it in smaller pieces with the same result."
        ) from error
    made = _Made(base, tower, train, val, recipe, where)
    with replacing_folder(out) as new:
        made.save(new, out.resolve().name, {BEFORE: History([before], 0), "finetune": history})
    return Finetuned(read_encoder(out), before, history, train.failed | val.failed)


def _open(ref: str, out: Path) -> tuple[Encoder, DualTower]:
    """The encoder `ref` and its tower. Raises ConfigError if it is no dual encoder."""
    another = "give a CLIP, a SigLIP or another dual encoder; `lexel train` trains pairs."
    if is_pair(ref):
        raise ConfigError(f"{ref} is a pair of networks, and only a dual encoder is fine-tuned: {another}")
    base = open_encoder(ref)
    if base.config["tower"].get("kind") != "dual":
        raise ConfigError(f"{ref} is made of a pair of networks, and only a dual encoder is fine-tuned: {another}")
    if base.compiled:
        raise ConfigError(
            f"{ref} is compiled; fine-tune the encoder that it was made of, and compile what comes of it."
        )
    if out.resolve() == base.folder.resolve():
        raise ConfigError(f"{out} holds the encoder to start from; write the fine-tuned one to another folder.")
    tower = towers_of.tower(base.config["tower"], base.folder)
    if not isinstance(tower, DualTower):
        raise ConfigError(f"{ref} is no dual encoder: {another}")
    return base, tower


def _fit(
    task: ContrastTask, train: ImageDataset, recipe: ContrastRecipe, saved: Path, name: str, reporter: TrainingReporter
) -> History:
    schedule = recipe.schedule
    return fit(
        task,
        lambda epoch: train.batches(size=schedule.batch, views=recipe.views, seed=schedule.seed, epoch=epoch),
        steps=train.training_set.steps(schedule.batch),
        schedule=schedule,
        clip=recipe.clip,
        saved=saved,
        identity=name,
        tell=lambda epoch, figures: reporter.epoch("finetune", epoch, schedule.epochs, figures),
    )


def _identity(base: Encoder, train: ImageDataset, val: ImageDataset, recipe: ContrastRecipe) -> str:
    """A hash of everything that determines the training; a saved state is resumed only with the same one."""
    items = [[(item.uri, item.captions) for item in dataset.items] for dataset in (train, val)]
    about = [base.features_id, items, asdict(recipe)]
    return training_id.digest("finetune", *about)


@dataclass(frozen=True)
class _Made:
    """The trained tower and what is needed to save it as an encoder."""

    base: Encoder
    tower: DualTower
    train: ImageDataset
    val: ImageDataset
    recipe: ContrastRecipe
    device: torch.device

    def save(self, out: Path, name: str, stages: dict[str, History]) -> None:
        """Make the zero-shot head, and write encoder, calibration, figures and model card to `out`."""
        shown = encode_images(self.tower, self.train, device=self.device, what="Encoding train", most=_SHOWN)
        judged = encode_images(self.tower, self.val, device=self.device, what="Encoding val")
        asked = encode_texts(self.tower, judged.texts, device=self.device)
        model = self._model(shown.sample(_SHOWN))
        saved = model.save(out, name=name)
        calibration = calibrated(model, saved, judged, asked)
        failed = self.train.failed | self.val.failed
        write_artifacts(out, calibration=calibration, stages=stages, card=self._card(saved, stages), failed=failed)

    def _model(self, vectors: torch.Tensor) -> Model:
        """The encoder with a zero-shot head of the fine-tuned tower, calibrated on image vectors [P, D]."""
        vocabulary: Vocabulary = self.base.vocabulary
        head = ZeroShotHead.of(self.tower, vocabulary).calibrated(vectors)
        return Model(self.tower, head, vocabulary, keep=self.base.config.get("keep", 128), device=str(self.device))

    def _card(self, saved: Encoder, stages: dict[str, History]) -> str:
        schedule, frozen = self.recipe.schedule, self.recipe.freeze
        how = (
            f"An encoder for lexel: `{self.base.ref}`, a dual encoder, fine-tuned end to end by its own loss in "
            f"batches of {schedule.batch} at a rate of {schedule.rate:g}"
            + (f", its {frozen} side left as it was. " if frozen != "none" else ". ")
            + "Its words are weighed by the networks themselves; words that were trained are better: "
            f"`lexel train captions.jsonl words --encoder {saved.name}`."
        )
        options = TrainOptions(head="zeroshot", keep=self.base.config.get("keep", 128), seed=schedule.seed)
        train, val = self.train.training_set, self.val.training_set
        augmented = replace(train, views=train.views * self.recipe.views)
        return card(saved, options=options, stages=stages, start=self.base.ref, train=augmented, val=val, how=how)
