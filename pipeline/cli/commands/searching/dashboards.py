"""The commands for OpenSearch Dashboards."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import IndexOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import short
from lexel.pipeline.dashboards import saved_objects
from lexel.pipeline.dashboards.saved_objects import ndjson

app = typer.Typer(no_args_is_help=True, help="Look at an index in OpenSearch Dashboards.")


@app.callback()
def dashboards() -> None:
    """Look at an index in OpenSearch Dashboards."""


@app.command()
def install(
    url: Annotated[str, typer.Option(help="Where Dashboards answers.")] = "http://127.0.0.1:5601",
    index: IndexOpt = "images",
    images: Annotated[
        str, typer.Option(help="Where `lexel serve` answers, as the browser sees it: its thumbnails are shown.")
    ] = "http://127.0.0.1:8600",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Import nothing, and write the objects to this file."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Import a dashboard of an index: its pictures, words, times and map, all asked by one Lucene bar.

    The same command again brings the objects up to date. OPENSEARCH_USER and OPENSEARCH_PASSWORD let in.

    Example: lexel dashboards install --index photos

    Example: lexel dashboards install --index photos --out photos.ndjson
    """
    from lexel.mappings.dashboard_pack import dashboards_pack
    from lexel.pipeline.atomic import write_atomically
    from lexel.pipeline.cluster.client import address, connect
    from lexel.pipeline.dashboards import index_facts as board

    where = address()
    pack = dashboards_pack(board.index_facts(connect(where), index, images=images))
    if out is not None:
        write_atomically(out, ndjson(pack))
        console.out.print(f"{len(pack)} objects for Dashboards: {short(out.resolve())}", soft_wrap=True)
        return
    place = saved_objects.import_saved_objects(pack, url=url, where=where)
    console.out.print(f"{len(pack)} objects are in Dashboards: {place}", soft_wrap=True, markup=False)
