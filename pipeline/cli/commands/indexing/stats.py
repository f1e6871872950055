"""`lexel stats`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OUTPUT, READ
from lexel.pipeline.cli.views.console import out
from lexel.pipeline.cli.views.job_progress import Bar


def stats(
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="A folder of shards, from `lexel encode`.")],
    queries: Annotated[
        str | None,
        typer.Option(
            help="A manifest with captions, a text file or shards, taken as queries.",
            show_default="the captions of the vocabulary",
            rich_help_panel=READ,
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write a plot: .png, .svg or .pdf.", show_default="none", rich_help_panel=OUTPUT
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with all terms.", rich_help_panel=OUTPUT)
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Report on the terms in shards: how many per item, how common, how costly, and warnings.

    Example: lexel stats shards

    Example: lexel stats shards --queries captions.jsonl --picture terms.png
    """
    from lexel.pipeline.cli.views.collection_stats import stats_report
    from lexel.pipeline.stats.health_report import as_json as report_as_json
    from lexel.pipeline.stats.plot import save_picture
    from lexel.pipeline.stats.run import report_stats

    with Bar("Counting") as bar:
        report = report_stats(shards, queries=queries, progress=bar)
    if picture is not None:
        save_picture(report, picture)
    if as_json:
        typer.echo(json.dumps(report_as_json(report), ensure_ascii=False, indent=1))
    else:
        out.print(stats_report(report))
