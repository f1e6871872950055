"""`lexel train`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.learning_options import BaseOpt, CaptionsArg, EncoderOutArg, WorkOpt
from lexel.pipeline.cli.options import ENCODER, LEARNING, BatchOpt, DeviceOpt, SeedOpt
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.training import say_epoch

VOCABULARY = "Vocabulary"
HEADS = ["lexicon", "expand", "bce", "zeroshot", "labels"]
TOWERS = ["auto", "infonce", "vse", "labels", "keep"]


def train(
    captions: CaptionsArg,
    out: EncoderOutArg,
    encoder: BaseOpt = "lexel-tiny",
    head: Annotated[
        str,
        typer.Option(
            help="lexicon, expand, bce, zeroshot or labels.", autocompletion=lambda: HEADS, rich_help_panel=ENCODER
        ),
    ] = "lexicon",
    tower: Annotated[
        str,
        typer.Option(
            help="How the vectors are trained: infonce, vse (hardest negatives), labels (image to image), or keep; "
            "auto trains a pair by infonce and keeps an encoder's.",
            autocompletion=lambda: TOWERS,
            rich_help_panel=ENCODER,
        ),
    ] = "auto",
    keep: Annotated[int, typer.Option(min=1, help="Terms kept a picture.", rich_help_panel=ENCODER)] = 128,
    dim: Annotated[int, typer.Option(min=2, help="Length of the vectors of a pair.", rich_help_panel=ENCODER)] = 512,
    hidden: Annotated[
        int, typer.Option(min=0, help="Units beside each linear map, 0 for none.", rich_help_panel=ENCODER)
    ] = 512,
    min_count: Annotated[
        int, typer.Option(min=1, help="Captions that must hold a term for it to be one.", rich_help_panel=VOCABULARY)
    ] = 5,
    size: Annotated[
        int | None,
        typer.Option(min=2, help="The commonest terms only.", show_default="all", rich_help_panel=VOCABULARY),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="A file of lines `form = term`.", rich_help_panel=VOCABULARY)
    ] = None,
    ban: Annotated[
        Path | None, typer.Option(help="A file of terms to leave out, one a line.", rich_help_panel=VOCABULARY)
    ] = None,
    views: Annotated[
        int,
        typer.Option(min=1, help="Views of each picture: the whole, and crops beside it.", rich_help_panel=LEARNING),
    ] = 4,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the captions, a stage.", show_default="the recipe's", rich_help_panel=LEARNING
        ),
    ] = None,
    sparsity: Annotated[
        float | None,
        typer.Option(min=0, help="Pressure towards few terms.", show_default="the recipe's", rich_help_panel=LEARNING),
    ] = None,
    soft: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the dense pair's scores in the targets.",
            show_default="the recipe's",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    query_weights: Annotated[
        bool,
        typer.Option(
            "--query-weights/--no-query-weights",
            help="Learn how much each word of a query counts.",
            rich_help_panel=LEARNING,
        ),
    ] = True,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    batch_size: BatchOpt = 32,
    work: WorkOpt = None,
    config: ConfigFile = None,
) -> None:
    """Learn words and vectors from captions; the result is an encoder that every other command takes.

    Pictures are encoded once; the same command again goes on where it stopped.

    Example: lexel train captions.jsonl words --encoder google/mobilenet_v2_1.0_224+gru
    """
    from lexel.encoders.vocabulary.aliases import read_aliases, read_ban_list
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train import TrainingReporter, TrainOptions, train_encoder

    options = TrainOptions(
        head=head,  # type: ignore[arg-type]  # it refuses what is none
        tower=tower,  # type: ignore[arg-type]
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
