"""`lexel finetune`."""

import time
from dataclasses import replace
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.learning_options import CaptionsArg, EncoderOutArg, WorkOpt
from lexel.pipeline.cli.options import ENCODER, LEARNING, SPEED, DeviceOpt, SeedOpt, WorkersOpt
from lexel.pipeline.cli.views.console import err, say, short
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.training import say_epoch


def finetune(
    captions: CaptionsArg,
    out: EncoderOutArg,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="BASE",
            help="A CLIP, SigLIP or other dual encoder of transformers, by name or folder.",
            rich_help_panel=ENCODER,
        ),
    ],
    freeze: Annotated[
        str, typer.Option(help="The side that is not trained: none, image or text.", rich_help_panel=ENCODER)
    ] = "none",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the captions.", rich_help_panel=LEARNING)] = 10,
    batch: Annotated[
        int, typer.Option(min=2, help="Pairs per batch, each contrasted with all others.", rich_help_panel=LEARNING)
    ] = 256,
    rate: Annotated[float, typer.Option(min=0, help="The highest learning rate.", rich_help_panel=LEARNING)] = 1e-5,
    decay: Annotated[float, typer.Option(min=0, help="Weight decay of matrices.", rich_help_panel=LEARNING)] = 0.1,
    views: Annotated[
        int,
        typer.Option(min=1, help="Views of each image: the whole and random crops.", rich_help_panel=LEARNING),
    ] = 1,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop after so many epochs without improvement on val.", rich_help_panel=LEARNING)
    ] = 3,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pairs that go through the networks at once: less memory, same result, slower.",
            show_default="all",
            rich_help_panel=SPEED,
        ),
    ] = None,
    work: WorkOpt = None,
    config: ConfigFile = None,
) -> None:
    """Fine-tune all weights of a dual encoder on captions, with its own contrastive loss; needs a GPU.

    The result is an encoder, for which `lexel train` then learns terms. The same command again resumes.

    Example: lexel finetune captions.csv my-clip --encoder openai/clip-vit-base-patch32
    """
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train import TrainingReporter
    from lexel.pipeline.train.finetune import finetune_encoder
    from lexel.pipeline.train.tasks.dual_encoder_task import ContrastRecipe

    plain = ContrastRecipe()
    schedule = replace(plain.schedule, epochs=epochs, batch=batch, rate=rate, decay=decay, patience=patience, seed=seed)
    began = time.monotonic()
    made = finetune_encoder(
        open_source(captions),
        out,
        encoder=encoder,
        work=work,
        recipe=ContrastRecipe(schedule, freeze, chunk, views),  # type: ignore[arg-type]  # it checks the side
        reporter=TrainingReporter(Bar, say_epoch),
        device=device,
        workers=workers,
    )
    if made.failed:
        uri, reason = next(iter(made.failed.items()))
        err.print(f"{len(made.failed):,} of the images could not be read, such as {uri}: {reason}.", markup=False)
    if not made.better:
        err.print("It is not better than its base on val: use more captions or a lower --rate.")
    say(
        f"{made.encoder.name} {made.encoder.fingerprint}, R@1 {made.before['R@1']:.1f} -> "
        f"{made.history.epochs[made.history.best]['R@1']:.1f} on val, "
        f"in {(time.monotonic() - began) / 60:.1f} min: {short(out.resolve())}"
    )
