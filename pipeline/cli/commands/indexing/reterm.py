"""The command that gives encoded pictures the words of another encoder."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import BatchOpt, DeviceOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import Bar, short


def reterm(
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="A folder of shards, from `lexel encode`.")],
    encoder: Annotated[str, typer.Option(help="The encoder with the new words: a name or a folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder for the new shards.", show_default="beside SHARDS, by the encoder")
    ] = None,
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    config: ConfigFile = None,
) -> None:
    """Give encoded pictures the words and vectors of another encoder, without decoding them again.

    Its images must have the same features: a head, vocabulary or projection that was trained on these shards. The
    same command again goes on where it stopped.

    Example: lexel reterm shards --encoder trained
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.encode.reterm import default_output
    from lexel.pipeline.encode.reterm import reterm_shards as run

    began, new = time.monotonic(), open_encoder(encoder)
    place = out or default_output(shards, new)
    with Bar("Reterming") as bar:
        report = run(shards, place, encoder=new, batch_size=batch_size, device=device, progress=bar)
    seconds, kept = time.monotonic() - began, report.items - report.new
    earlier = f" ({kept:,} by earlier runs)" if kept else ""
    said = f"{report.encoded:,} items have the words of {new.name}{earlier} in {seconds:.1f} s"
    console.out.print(f"{said}: {short(place.resolve())}", soft_wrap=True, markup=False)
    if report.failed:
        note = f"{report.failed:,} had failed: {short((place / 'failures.parquet').resolve())} says why."
        console.out.print(note, style="yellow", soft_wrap=True, markup=False)
