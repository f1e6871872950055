"""`lexel tune`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OUTPUT, AutoBatchOpt, DeviceOpt, EncoderOpt, SplitOpt
from lexel.pipeline.cli.views.console import out as results
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar


def tune(
    captions: Annotated[str, typer.Argument(metavar="CAPTIONS", help="A manifest of images with captions or labels.")],
    split: SplitOpt = None,
    encoder: EncoderOpt = "lexel-photo",
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for the tuned encoder; by default it is changed in place.", rich_help_panel=OUTPUT
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Calibrate an encoder: the vector weight of hybrid queries, and score cut-offs, stored with it.

    Example: lexel tune pictures/scenes.jsonl --out tuned
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.calibrate.calibration_file import calibrate_encoder
    from lexel.pipeline.cli.views import evaluation

    opened = open_encoder(encoder)
    found, path = calibrate_encoder(
        captions, encoder=opened, out=out, split=split, device=device, batch_size=batch_size, watch=Bar
    )
    results.print(evaluation.weights(found))
    results.print(evaluation.cutoffs(found))
    say(f"Stored in {short(path.resolve())}; searches of its indices now use it.")
