"""`lexel caption`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import ENCODER, OUTPUT, BatchOpt, DeviceOpt, RetryOpt, SourceArg, WorkersOpt
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import earlier, warn_failed


def caption(
    source: SourceArg,
    out: Annotated[
        Path, typer.Argument(metavar="OUT.csv", help="The CSV file of captions; an existing one is extended.")
    ],
    model: Annotated[
        str,
        typer.Option(help="A captioning checkpoint of transformers: a folder or a hub name.", rich_help_panel=ENCODER),
    ] = "Salesforce/blip-image-captioning-base",
    count: Annotated[
        int,
        typer.Option(min=1, max=20, help="Captions per image; several are sampled at random.", rich_help_panel=OUTPUT),
    ] = 1,
    batch_size: BatchOpt = 16,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    retry: RetryOpt = False,
    config: ConfigFile = None,
) -> None:
    """Generate captions of images with a network, as a CSV file that `lexel train` reads.

    The same command again resumes an interrupted job. Images that cannot be read are listed in OUT.failures.csv.

    Example: lexel caption ~/Pictures captions.csv --count 5
    """
    from lexel.encoders.captioner import Captioner
    from lexel.pipeline.encode.captioning import caption_source, failures_of
    from lexel.pipeline.sources.source import open_source

    pictures = open_source(source)
    network, began = Captioner(model, device=device), time.monotonic()
    with Bar("Captioning") as bar:
        done = caption_source(
            pictures,
            out,
            captioner=network,
            count=count,
            batch_size=batch_size,
            workers=workers,
            retry=retry,
            progress=bar,
        )
    seconds = time.monotonic() - began
    summary = f"{done.captioned:,} of {done.pictures:,} pictures captioned{earlier(done.pictures - done.new)}"
    say(f"{summary} in {seconds:.1f} s: {short(out.resolve())}")
    warn_failed(done.failed, failures_of(out).resolve())
