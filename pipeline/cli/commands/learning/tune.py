"""`lexel tune`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OUTPUT, BatchOpt, DeviceOpt, EncoderOpt, SplitOpt
from lexel.pipeline.cli.views.console import out as answer
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar


def tune(
    captions: Annotated[
        str, typer.Argument(metavar="CAPTIONS", help="A manifest of pictures with captions, or with labels.")
    ],
    split: SplitOpt = None,
    encoder: EncoderOpt = "lexel-tiny",
    device: DeviceOpt = "auto",
    batch_size: BatchOpt = 32,
    out: Annotated[
        Path | None,
        typer.Option(help="A new folder for the tuned encoder; else it is changed.", rich_help_panel=OUTPUT),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Find the weight of the vector in hybrid queries, and score cut-offs, and store them with the encoder.

    Example: lexel tune pictures/scenes.jsonl --out tuned
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.calibrate.calibration_file import calibrate_encoder
    from lexel.pipeline.cli.views import evaluation

    opened = open_encoder(encoder)
    found, path = calibrate_encoder(
        captions, encoder=opened, out=out, split=split, device=device, batch_size=batch_size, watch=Bar
    )
    answer.print(evaluation.weights(found))
    answer.print(evaluation.cutoffs(found))
    say(f"Stored in {short(path.resolve())}. Searches of its indices use it from now on.")
