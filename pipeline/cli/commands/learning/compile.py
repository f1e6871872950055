"""`lexel compile`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import READ, SPEED, known_encoders
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.cli.views.job_progress import Bar

EncoderArg = Annotated[
    str,
    typer.Argument(
        metavar="ENCODER", help="The encoder: a name, a folder or a hub name.", autocompletion=known_encoders
    ),
]
OutArg = Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the compiled encoder.")]


def compile_(
    encoder: EncoderArg,
    out: OutArg,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help="Images for the comparison, and for the value ranges of int8.", rich_help_panel=READ
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8", help="Compute in 8 bits: faster, with slightly different vectors.", rich_help_panel=SPEED
        ),
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Compile an encoder's image side with OpenVINO: the same vectors in less time on a CPU.

    OUT is an encoder like any other, for CPUs. `lexel evaluate` measures the effect of 8 bits on retrieval.

    Example: lexel compile words words-fast

    Example: lexel compile words words-int8 --int8 --pictures ~/Pictures
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train.compile import compile_encoder

    with Bar("Reading images") as bar:
        found = compile_encoder(
            open_encoder(encoder), out, source=open_source(pictures) if pictures else None, int8=int8, progress=bar
        )
    basis = f"{found.pictures} {'pictures' if pictures else 'drawn scenes'}"
    say(
        f"{found.before:.1f} -> {found.after:.1f} ms of a core a picture. On {basis} its vectors have a cosine of "
        f"{found.mean:.5f} with the old ones, at least {found.least:.5f}: {short(out.resolve())}"
    )
