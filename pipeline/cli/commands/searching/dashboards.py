"""`lexel dashboards`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import OPENSEARCH, OUTPUT
from lexel.pipeline.cli.views.console import say, short
from lexel.pipeline.dashboards.run import DASHBOARDS_URL, IMAGES_URL

app = typer.Typer(no_args_is_help=True, help="Show an index in OpenSearch Dashboards.")


@app.callback()
def dashboards() -> None:
    """Show an index in OpenSearch Dashboards."""


@app.command()
def install(
    url: Annotated[str, typer.Option(help="The address of Dashboards.", rich_help_panel=OPENSEARCH)] = DASHBOARDS_URL,
    index: Annotated[
        list[str] | None,
        typer.Option(
            help="The index (an alias) in OpenSearch; repeat it for several.",
            show_default="images",
            rich_help_panel=OPENSEARCH,
        ),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            help="The address of `lexel serve` for the browser, which loads thumbnails from it.",
            rich_help_panel=OUTPUT,
        ),
    ] = IMAGES_URL,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the objects to this file instead of importing them.", rich_help_panel=OUTPUT
        ),
    ] = None,
    external_urls: Annotated[
        bool | None,
        typer.Option(
            help="Show images on the map, which Dashboards must allow (see docs/dashboards.md).",
            show_default="as Dashboards says; not with --out",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Import a dashboard of an index: images, words, times and map, filtered by one Lucene query bar.

    The same command again updates the objects. OPENSEARCH_USER and OPENSEARCH_PASSWORD are used to log in.

    Example: lexel dashboards install --index photos

    Example: lexel dashboards install --index photos --out photos.ndjson
    """
    from lexel.pipeline.atomic import write_atomically
    from lexel.pipeline.cluster.client import address, connect
    from lexel.pipeline.dashboards.run import install_dashboard, make_pack
    from lexel.pipeline.dashboards.saved_objects import ndjson

    where = address()
    client, indices = connect(where), list(dict.fromkeys(index or ["images"]))
    if out is not None:
        packs = [make_pack(client, one, images=images, external_urls=bool(external_urls)) for one in indices]
        write_atomically(out, b"".join(map(ndjson, packs)))
        say(f"{sum(map(len, packs))} objects for Dashboards: {short(out.resolve())}")
        return
    notes: list[str] = []
    for one in indices:
        found = install_dashboard(client, one, where=where, url=url, images=images, external_urls=external_urls)
        say(f"{found.count} objects are in Dashboards: {found.url}")
        notes += found.notes
    for note in dict.fromkeys(notes):
        say(note)
