"""`lexel sources`."""

import json
from dataclasses import asdict

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    CaptionsOpt,
    ExcludeOpt,
    IncludeOpt,
    JsonOpt,
    LabelsFromFoldersOpt,
    SourceArg,
)
from lexel.pipeline.cli.views.console import out


def sources(
    source: SourceArg,
    captions: CaptionsOpt = False,
    include: IncludeOpt = None,
    exclude: ExcludeOpt = None,
    labels_from_folders: LabelsFromFoldersOpt = False,
    as_json: JsonOpt = False,
    config: ConfigFile = None,
) -> None:
    """Print what lexel makes of a source, and encode nothing: its kind, items, columns, the first three.

    The first pictures are read, so that a wrong folder shows. What is left out is said.

    Example: lexel sources captions.csv
    """
    from lexel.pipeline.cli.views.source_summary import summary
    from lexel.pipeline.sources.selection import Selection
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.sources.source_overview import overview

    selection = Selection(tuple(include or ()), tuple(exclude or ()), labels_from_folders)
    found = overview(open_source(source, captions=captions, selection=selection))
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1))
    else:
        out.print(summary(found))
