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
            help="A CLIP, a SigLIP or another transformers dual encoder, by name or folder.",
            rich_help_panel=ENCODER,
        ),
    ],
    freeze: Annotated[
        str, typer.Option(help="The side that stays as it is: none, image or text.", rich_help_panel=ENCODER)
    ] = "none",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the captions.", rich_help_panel=LEARNING)] = 10,
    batch: Annotated[
        int, typer.Option(min=2, help="Pairs that are compared with one another.", rich_help_panel=LEARNING)
    ] = 256,
    rate: Annotated[float, typer.Option(min=0, help="The highest learning rate.", rich_help_panel=LEARNING)] = 1e-5,
    decay: Annotated[float, typer.Option(min=0, help="Weight decay of matrices.", rich_help_panel=LEARNING)] = 0.1,
    views: Annotated[
        int,
        typer.Option(min=1, help="Views of each picture: the whole, and crops beside it.", rich_help_panel=LEARNING),
    ] = 1,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a better val before it stops.", rich_help_panel=LEARNING)
    ] = 3,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pairs of a batch that go through the networks at once: less memory, the same result, slower.",
            show_default="all",
            rich_help_panel=SPEED,
        ),
    ] = None,
    work: WorkOpt = None,
    config: ConfigFile = None,
) -> None:
    """Fine-tune a dual encoder on captions, all of it, by the loss that it was made for; wants a GPU.

    The result is an encoder; `lexel train` then gives it words. The same command again goes on where it stopped.

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
        recipe=ContrastRecipe(schedule, freeze, chunk, views),  # type: ignore[arg-type]  # it refuses what is no side
        reporter=TrainingReporter(Bar, say_epoch),
        device=device,
        workers=workers,
    )
    if made.failed:
        uri, reason = next(iter(made.failed.items()))
        err.print(f"{len(made.failed):,} of the pictures could not be read; {uri}, for one, is {reason}.", markup=False)
    if not made.better:
        err.print("On val it is no better than its base: give it more captions, or a lower --rate.")
    say(
        f"{made.encoder.name} {made.encoder.fingerprint}, R@1 {made.before['R@1']:.1f} -> "
        f"{made.history.epochs[made.history.best]['R@1']:.1f} on val, "
        f"in {(time.monotonic() - began) / 60:.1f} min: {short(out.resolve())}"
    )
