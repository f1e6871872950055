"""`lexel search`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    ASKED,
    OUTPUT,
    RANKING,
    IndexOpt,
    JsonOpt,
    LikeOpt,
    ModeOpt,
    UnlikeOpt,
    WeightOpt,
    WrittenWeightOpt,
)
from lexel.pipeline.cli.picture_file import naming, read_picture
from lexel.pipeline.cli.views import search_results
from lexel.pipeline.search import results


def search(
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="The query text: dog^2 counts twice, +snow is required, -cat excluded."),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--image", help="An image to search with; can be repeated, and combined with text.", rich_help_panel=ASKED
        ),
    ] = None,
    like: LikeOpt = None,
    unlike: UnlikeOpt = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help="Only items that satisfy: a=b, a=b|c, a!=b, a>=1, a=1..5, date=2021, place~LAT,LON,10km.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    mode: ModeOpt = "hybrid",
    weight: WeightOpt = None,
    written_weight: WrittenWeightOpt = 0.0,
    share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Weight of the text when images are given (0 to 1).", rich_help_panel=RANKING),
    ] = 0.5,
    fusion: Annotated[
        str,
        typer.Option(
            help="How hybrid combines terms and vector: exact; mean or rrf with the neural-search plugin.",
            rich_help_panel=RANKING,
        ),
    ] = "exact",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of results.", rich_help_panel=OUTPUT)] = 10,
    fold: Annotated[
        bool, typer.Option("--fold", help="Show only the best of near-duplicates.", rich_help_panel=OUTPUT)
    ] = False,
    facets: Annotated[
        list[str] | None,
        typer.Option(
            "--facet", metavar="FIELD", help="Count a field's values; `term` for words.", rich_help_panel=OUTPUT
        ),
    ] = None,
    cutoff: Annotated[
        bool | None,
        typer.Option(
            "--cutoff/--no-cutoff",
            help="Omit all that scores below the encoder's cut-off (see `lexel tune`); by default only what shares no "
            "word with the query and does not look that near; --no-cutoff omits nothing.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Omit results below this share of the best one's score.", rich_help_panel=OUTPUT
        ),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE", help="`first`, or the value printed below the previous page.", rich_help_panel=OUTPUT
        ),
    ] = None,
    dsl: Annotated[
        bool, typer.Option("--dsl", help="Print the query sent to OpenSearch, as JSON.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: JsonOpt = False,
    index: IndexOpt = "images",
    config: ConfigFile = None,
) -> None:
    """Search by text, by images or by both; each result shows the terms that made its score.

    Example: lexel search "two dogs^2 +snow -cat" --index photos -k 5

    Example: lexel search "at night" --image street.jpg --index photos --facet term

    Example: lexel search "a dog" --like ID --unlike ID --index photos
    """
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.search.filters import field_name, parse_filter
    from lexel.pipeline.search.index import SearchIndex
    from lexel.pipeline.search.request import SearchRequest
    from lexel.pipeline.search.results import Cursor
    from lexel.pipeline.search.run import search_index

    place = SearchIndex(connect(), index)
    request = SearchRequest(
        text=query or "",
        images=tuple(read_picture(path) for path in images or []),
        like=tuple(like or []),
        unlike=tuple(unlike or []),
        mode=mode,  # type: ignore[arg-type]  # it checks the value
        k=k,
        filters=[parse_filter(text) for text in filters or []],
        weight=weight,
        written_weight=written_weight,
        share=share,
        fusion=fusion,  # type: ignore[arg-type]
        fold=fold,
        cutoff=cutoff is not False,
        facets={field_name(facet): 10 for facet in facets or []},
        paged=page is not None,
        after=Cursor.parse(page) if page is not None and page != "first" else None,
    )
    with naming(images or []):
        result = search_index(place, request)
    if cutoff:
        result = result.above(place.encoder.cutoff("image" if images or like else "text", mode))
    if within is not None:
        result = result.within(within)
    if dsl:
        typer.echo(json.dumps(result.body, ensure_ascii=False, indent=1))
    elif as_json:
        typer.echo(json.dumps(results.as_json(result), ensure_ascii=False, indent=1))
    else:
        search_results.results(result)
