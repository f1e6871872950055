"""The model card of a trained encoder."""

from collections.abc import Mapping

from lexel.encoders.encoder import Encoder
from lexel.pipeline.train.data.training_set import TrainingSet
from lexel.pipeline.train.tasks.loop import History
from lexel.pipeline.train.training_options import TrainOptions

_SHOWN = ("R@1", "R@5", "R@10", "back R@10", "kept/image", "terms/query")


def card(
    encoder: Encoder,
    *,
    options: TrainOptions,
    stages: Mapping[str, History],
    start: str,
    train: TrainingSet,
    val: TrainingSet,
    how: str | None = None,
) -> str:
    """The model card in Markdown: facts, training data, figures on val, and how to evaluate it.

    `how` describes in a sentence how it was made, by default by training a head from `start`.
    """
    lines = [
        "---",
        f"trained_on: {len(train):,} pictures with {len(train.texts):,} captions",
        "---",
        f"# {encoder.name}",
        "",
        how or f"An encoder for lexel, trained with the head `{options.head}` from `{start}`.",
        "",
        "## What it is",
        f"- {len(encoder.vocabulary):,} terms, at most {options.keep} kept a picture; vocabulary "
        f"`{encoder.vocabulary.hash[:12]}`.",
        f"- Fingerprint `{encoder.fingerprint}`; its features are those of `{encoder.features_id}`.",
        f"- Vector's weight in hybrid queries: text {encoder.vector_weight('text'):g}, "
        f"image {encoder.vector_weight('image'):g}.",
        "",
        "## What it learned from",
        f"- {len(train):,} pictures in {len(train.views)} views with {len(train.texts):,} captions; "
        f"{len(val):,} pictures with {len(val.texts):,} captions to choose by.",
        f"- Seed {options.seed}.",
        "",
        "## What was seen on val",
        "Recall in per cent, worked out in memory; the best epoch of each stage. `back` is image to text.",
        "",
        "| stage | epoch | " + " | ".join(_SHOWN) + " |",
        "|---|---|" + "---|" * len(_SHOWN),
        *(_row(name, history) for name, history in stages.items()),
        "",
        "`training/curves.png` has the course of it. Through the cluster, on any captioned set:",
        "",
        "```sh",
        f"lexel evaluate captions.jsonl --encoder {encoder.name}",
        "```",
        "",
        "## What to know",
        "It knows the words and the kinds of pictures that it was trained on, with their biases, and no others. "
        "Not for decisions about people.",
        "",
    ]
    return "\n".join(lines)


def _row(stage: str, history: History) -> str:
    best = history.epochs[history.best]
    cells = [f"{best[name]:.1f}" if name in best else "" for name in _SHOWN]
    return f"| {stage} | {history.best + 1} of {len(history.epochs)} | " + " | ".join(cells) + " |"
