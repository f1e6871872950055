"""The command that finds captions for pictures that have none."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import BatchOpt, DeviceOpt, RetryOpt, SourceArg, WorkersOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import Bar, short


def caption(
    source: SourceArg,
    out: Annotated[Path, typer.Argument(metavar="OUT.csv", help="The table of captions; added to where it is there.")],
    model: Annotated[
        str, typer.Option(help="A captioning checkpoint of transformers: a folder or a hub name.")
    ] = "Salesforce/blip-image-captioning-base",
    count: Annotated[int, typer.Option(min=1, max=20, help="Captions a picture; several are drawn at random.")] = 1,
    batch_size: BatchOpt = 16,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    retry: RetryOpt = False,
    config: ConfigFile = None,
) -> None:
    """Let a network caption pictures that have no captions, as a table that `lexel train` reads.

    The same command again goes on where it stopped. What cannot be read is listed in OUT.failures.csv.

    Example: lexel caption ~/Pictures captions.csv --count 5
    """
    from lexel.encoders.captioner import Captioner
    from lexel.pipeline.encode.captioning import caption_source as run
    from lexel.pipeline.encode.captioning import failures_of
    from lexel.pipeline.sources.source import open_source

    pictures = open_source(source)
    network, began = Captioner(model, device=device), time.monotonic()
    with Bar("Captioning") as bar:
        done = run(
            pictures,
            out,
            captioner=network,
            count=count,
            batch_size=batch_size,
            workers=workers,
            retry=retry,
            progress=bar,
        )
    seconds, kept = time.monotonic() - began, done.pictures - done.new
    earlier = f" ({kept:,} by earlier runs)" if kept else ""
    said = f"{done.captioned:,} of {done.pictures:,} pictures captioned{earlier} in {seconds:.1f} s"
    console.out.print(f"{said}: {short(out.resolve())}", soft_wrap=True, markup=False)
    if done.failed:
        note = f"{done.failed:,} failed: {short(failures_of(out).resolve())} says why."
        console.out.print(note, style="yellow", soft_wrap=True, markup=False)
