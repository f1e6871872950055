"""What the tests of training share: a teller that only listens, and sources made on the spot."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lexel.encoders import Encoder
from lexel.encoders.model import load_model
from lexel.pipeline.calibrate.hybrid_weight import term_scores
from lexel.pipeline.progress import QUIET
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source, open_source
from lexel.pipeline.train import Trained, TrainingReporter, TrainOptions, train_encoder
from lexel.pipeline.train.data.image_features import training_sets
from lexel.pipeline.train.data.splits import splits
from lexel.pipeline.train.data.training_set import TrainingSet
from lexel.pipeline.train.tasks.loop import Figures
from lexel.pipeline.train.tasks.recall import recalls


def listening(heard: Callable[[str, int, Figures], None] = lambda stage, epoch, figures: None) -> TrainingReporter:
    """A teller without bars that hands each epoch to `heard`."""
    return TrainingReporter(
        lambda what: nullcontext(QUIET), lambda stage, epoch, epochs, figures: heard(stage, epoch, figures)
    )


def source(items: Iterable[Item]) -> Source:
    """A source of these items."""
    listed = list(items)
    return Source(Path("/pictures"), lambda: iter(listed), name="captions.jsonl")


def lesson(captions: Iterable[tuple[str, ...]], *, dim: int = 6, views: int = 1, seed: int = 0) -> TrainingSet:
    """Pictures with these captions and random features, each view's near the whole's."""
    said = list(captions)
    dice = np.random.default_rng(seed)
    whole = dice.normal(size=(len(said), dim))
    others = [whole + 0.1 * dice.normal(size=whole.shape) for _ in range(views - 1)]
    owner = np.repeat(np.arange(len(said)), [len(own) for own in said])
    texts = tuple(text for own in said for text in own)
    return TrainingSet(tuple(v.astype(np.float16) for v in (whole, *others)), texts, owner, (None,) * len(said))


def manifest(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write a JSONL manifest of these rows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def flickr(shared: Path, path: Path, *, train: int = 100, val: int = 40) -> Path:
    """A manifest of some of Flickr8k's photographs, where they are, with its own splits."""
    folder = shared / "data/flickr8k"
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()]
    sides = [[row for row in rows if row["split"] == name][:count] for name, count in (("train", train), ("val", val))]
    return manifest(path, [row | {"image": str(folder / row["image"])} for side in sides for row in side])


def learned(
    path: Path, out: Path, *, start: str, work: Path, options: TrainOptions, reporter: TrainingReporter | None = None
) -> Trained:
    """Train on the manifest at `path`."""
    torch.set_num_threads(1)
    return train_encoder(
        open_source(path), out, encoder=start, work=work, options=options, reporter=reporter or listening()
    )


@dataclass(frozen=True)
class Found:
    """R@10 of text -> image in per cent, by terms and by vectors, of val's captions among val's pictures."""

    terms: float
    vectors: float


def found(encoder: Encoder, path: Path, work: Path) -> Found:
    """How well a saved encoder finds the pictures of val, from what `work` holds of them."""
    place = work / f"features-{encoder.features_id}"
    sides = splits(open_source(path))
    features = encoder.for_features()
    _, val = training_sets(
        sides, place, encoder=features, views=1, batch_size=32, device="cpu", watch=listening().watch
    )
    model = load_model(encoder, device="cpu")
    pictures = model.of_features(val.views[0])
    terms = term_scores([*model.queries(val.texts)], pictures.terms).T
    vectors = pictures.vectors @ model.text_vectors(val.texts).T
    by_terms, by_vectors = (
        recalls(lambda run, s=scores: torch.from_numpy(s[:, run]), val.owner, pictures=len(val))[0].at_10  # type: ignore[misc]
        for scores in (terms, vectors)
    )
    return Found(by_terms, by_vectors)
