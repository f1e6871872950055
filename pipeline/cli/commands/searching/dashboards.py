"""`lexel dashboards`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OPENSEARCH, OUTPUT, IndexOpt
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.dashboards.run import DASHBOARDS_URL, IMAGES_URL

app = typer.Typer(no_args_is_help=True, help="Look at an index in OpenSearch Dashboards.")


@app.callback()
def dashboards() -> None:
    """Look at an index in OpenSearch Dashboards."""


@app.command()
def install(
    url: Annotated[str, typer.Option(help="Where Dashboards answers.", rich_help_panel=OPENSEARCH)] = DASHBOARDS_URL,
    index: IndexOpt = "images",
    images: Annotated[
        str,
        typer.Option(
            help="Where `lexel serve` answers, as the browser sees it: its thumbnails are shown.",
            rich_help_panel=OUTPUT,
        ),
    ] = IMAGES_URL,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Import nothing, and write the objects to this file.", rich_help_panel=OUTPUT
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Import a dashboard of an index: its pictures, words, times and map, all asked by one Lucene bar.

    The same command again brings the objects up to date. OPENSEARCH_USER and OPENSEARCH_PASSWORD let in.

    Example: lexel dashboards install --index photos

    Example: lexel dashboards install --index photos --out photos.ndjson
    """
    from lexel.pipeline.atomic import write_atomically
    from lexel.pipeline.cluster.client import address, connect
    from lexel.pipeline.dashboards.run import make_pack
    from lexel.pipeline.dashboards.saved_objects import import_saved_objects, ndjson

    where = address()
    pack = make_pack(connect(where), index, images=images)
    if out is not None:
        write_atomically(out, ndjson(pack))
        say(f"{len(pack)} objects for Dashboards: {short(out.resolve())}")
        return
    say(f"{len(pack)} objects are in Dashboards: {import_saved_objects(pack, url=url, where=where)}")
