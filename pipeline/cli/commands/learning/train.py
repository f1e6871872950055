"""`lexel train`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.learning_options import BaseOpt, CaptionsArg, EncoderOutArg, WorkOpt
from lexel.pipeline.cli.options import ENCODER, LEARNING, AutoBatchOpt, DeviceOpt, SeedOpt
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.training import say_epoch

VOCABULARY = "Vocabulary"
HEADS = ["lexicon", "expand", "bce", "zeroshot", "labels"]
TOWERS = ["auto", "infonce", "vse", "labels", "keep"]


def train(
    captions: CaptionsArg,
    out: EncoderOutArg,
    encoder: BaseOpt = "lexel-photo",
    head: Annotated[
        str,
        typer.Option(
            help="lexicon, expand, bce, zeroshot or labels.", autocompletion=lambda: HEADS, rich_help_panel=ENCODER
        ),
    ] = "lexicon",
    tower: Annotated[
        str,
        typer.Option(
            help="The loss for the vectors: infonce, vse (hardest negatives), labels (image to image), keep for none; "
            "auto is infonce for a pair, keep for an encoder.",
            autocompletion=lambda: TOWERS,
            rich_help_panel=ENCODER,
        ),
    ] = "auto",
    words: Annotated[
        str,
        typer.Option(
            help="keep: train the encoder's own words further, with those of the captions; new: only those of the "
            "captions; auto: keep where it knows which of its words are likely to be said.",
            autocompletion=lambda: ["auto", "keep", "new"],
            rich_help_panel=VOCABULARY,
        ),
    ] = "auto",
    keep: Annotated[int, typer.Option(min=1, help="Terms per image.", rich_help_panel=ENCODER)] = 128,
    dim: Annotated[int, typer.Option(min=2, help="Vector length of a pair.", rich_help_panel=ENCODER)] = 512,
    hidden: Annotated[
        int,
        typer.Option(min=0, help="Hidden units in addition to each linear map, 0 for none.", rich_help_panel=ENCODER),
    ] = 512,
    min_count: Annotated[
        int, typer.Option(min=1, help="Minimum number of captions that contain a term.", rich_help_panel=VOCABULARY)
    ] = 5,
    size: Annotated[
        int | None,
        typer.Option(
            min=2, help="Keep only so many terms, the commonest.", show_default="all", rich_help_panel=VOCABULARY
        ),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="A file of lines `form = term`.", rich_help_panel=VOCABULARY)
    ] = None,
    ban: Annotated[
        Path | None, typer.Option(help="A file of terms to leave out, one per line.", rich_help_panel=VOCABULARY)
    ] = None,
    views: Annotated[
        int,
        typer.Option(min=1, help="Views of each image: the whole and random crops.", rich_help_panel=LEARNING),
    ] = 4,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the captions per stage.", show_default="the recipe's", rich_help_panel=LEARNING
        ),
    ] = None,
    sparsity: Annotated[
        float | None,
        typer.Option(min=0, help="Weight of the sparsity loss.", show_default="the recipe's", rich_help_panel=LEARNING),
    ] = None,
    soft: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the dense teacher's scores in the targets.",
            show_default="the recipe's",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    query_weights: Annotated[
        bool,
        typer.Option(
            "--query-weights/--no-query-weights",
            help="Learn a weight for each query term.",
            rich_help_panel=LEARNING,
        ),
    ] = True,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    work: WorkOpt = None,
    config: ConfigFile = None,
) -> None:
    """Train an encoder, its terms and vectors, on captions or labels.

    Images are encoded once; the same command again resumes an interrupted training.

    Example: lexel train captions.jsonl words --encoder google/mobilenet_v2_1.0_224+gru
    """
    from lexel.encoders.vocabulary.aliases import read_aliases, read_ban_list
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train import TrainingReporter, TrainOptions, train_encoder

    options = TrainOptions(
        head=head,  # type: ignore[arg-type]  # it checks the value
        tower=tower,  # type: ignore[arg-type]
        words=words,  # type: ignore[arg-type]
        views=views,
        keep=keep,
        dim=dim,
        hidden=hidden,
        min_count=min_count,
        size=size,
        aliases=read_aliases(aliases) if aliases else {},
        banned=frozenset(read_ban_list(ban)) if ban else frozenset(),
        epochs=epochs,
        sparsity=sparsity,
        soft=soft,
        query_weights=query_weights,
        seed=seed,
        device=device,
        batch_size=batch_size,
    )
    began = time.monotonic()
    trained = train_encoder(
        open_source(captions),
        out,
        encoder=encoder,
        work=work,
        options=options,
        reporter=TrainingReporter(Bar, say_epoch),
    )
    say(
        f"{trained.encoder.name} {trained.encoder.fingerprint}, {len(trained.encoder.vocabulary):,} terms, "
        f"in {(time.monotonic() - began) / 60:.1f} min: {short(out.resolve())}"
    )
