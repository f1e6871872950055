"""`lexel reterm`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import ENCODER, OUTPUT, BatchOpt, DeviceOpt, known_encoders
from lexel.pipeline.cli.views.console import say, short, warn
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import earlier


def reterm(
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="A folder of shards, from `lexel encode`.")],
    encoder: Annotated[
        str,
        typer.Option(
            help="The new encoder: a name or a folder.",
            autocompletion=known_encoders,
            rich_help_panel=ENCODER,
        ),
    ],
    device: DeviceOpt = "auto",
    batch_size: BatchOpt = 32,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for the new shards.", show_default="SHARDS-ENCODER", rich_help_panel=OUTPUT),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Encode shards again with another encoder, from their stored features, without decoding images.

    The encoder must have the same image features, as one with another head, vocabulary or projection has. The same
    command again resumes an interrupted job.

    Example: lexel reterm shards --encoder trained
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.encode.reterm import default_output, reterm_shards

    began, new = time.monotonic(), open_encoder(encoder)
    place = out or default_output(shards, new)
    with Bar("Reterming") as bar:
        report = reterm_shards(shards, place, encoder=new, batch_size=batch_size, device=device, progress=bar)
    seconds = time.monotonic() - began
    done = f"{report.encoded:,} items have the words of {new.name}{earlier(report.items - report.new)}"
    say(f"{done} in {seconds:.1f} s: {short(place.resolve())}")
    if report.failed:
        warn(f"{report.failed:,} had failed: see {short((place / 'failures.parquet').resolve())}.")
