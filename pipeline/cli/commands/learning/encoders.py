"""`lexel encoders`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import JsonOpt
from lexel.pipeline.cli.views.console import out


def encoders(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Folders of other encoders to list.")
    ] = None,
    as_json: JsonOpt = False,
    config: ConfigFile = None,
) -> None:
    """List the installed encoders: licence, size, vector length, terms, training data, language.

    Any dual encoder of transformers can be used too, by its hub name or folder; see `lexel encode --encoder`.

    Example: lexel encoders

    Example: lexel encoders words words-int8 --json
    """
    from lexel.encoders import open_encoder
    from lexel.encoders.card import encoder_card
    from lexel.encoders.registry import names
    from lexel.pipeline.cli.views.encoder_cards import table

    cards = [encoder_card(open_encoder(ref)) for ref in (*names(), *map(str, folders or []))]
    if as_json:
        typer.echo(json.dumps([asdict(card) for card in cards], ensure_ascii=False, indent=1))
    else:
        out.print(table(cards))
