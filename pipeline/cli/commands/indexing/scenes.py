"""`lexel scenes`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.views.console import say, short


def scenes(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the images and scenes.jsonl.")],
    count: Annotated[int, typer.Option(min=1, help="Number of images.")] = 600,
    seed: Annotated[int, typer.Option(help="Random seed of the first image.")] = 0,
    config: ConfigFile = None,
) -> None:
    """Draw a collection of images with true captions, to try lexel with.

    Example: lexel scenes drawn --count 100
    """
    from lexel.pipeline.scenes import write

    say(f"{count:,} pictures and their captions: {short(write(out, count=count, seed=seed).resolve())}")
