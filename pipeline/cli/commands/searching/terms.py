"""`lexel terms`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OUTPUT, DeviceOpt, EncoderOpt
from lexel.pipeline.cli.picture_file import naming, read_picture
from lexel.pipeline.cli.views import search_results
from lexel.pipeline.cli.views.console import out


def terms(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Image files.")],
    encoder: EncoderOpt = "lexel-photo",
    device: DeviceOpt = "auto",
    k: Annotated[int, typer.Option("-k", min=1, help="Number of terms.", rich_help_panel=OUTPUT)] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with all terms.", rich_help_panel=OUTPUT)
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Print the weighted terms of images.

    Example: lexel terms dog.jpg -k 10
    """
    from lexel.encoders import open_encoder
    from lexel.encoders.model import load_model
    from lexel.pipeline.search.encode_query import encode_picture

    model = load_model(open_encoder(encoder), device=device)
    words: dict[str, dict[str, float]] = {}
    for file in files:
        with naming([file]):
            words[str(file)] = encode_picture(model, read_picture(file)).terms[0]
    if as_json:
        typer.echo(json.dumps(words, ensure_ascii=False, indent=1))
        return
    for name, weights in words.items():
        out.print(f"[dim]{name}, {len(weights)} terms[/]")
        out.print(search_results.weighted(weights, limit=k))
