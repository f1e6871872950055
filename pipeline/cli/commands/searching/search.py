"""The commands that ask: search an index, and read a picture's words."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import DeviceOpt, EncoderOpt, IndexOpt
from lexel.pipeline.cli.views import search_results
from lexel.pipeline.cli.views.console import out
from lexel.pipeline.errors import SourceError
from lexel.pipeline.search import results


def search(
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="Words to look for; dog^2 counts twice, +snow must be there, -cat not."),
    ] = None,
    images: Annotated[
        list[Path] | None, typer.Option("--image", help="A picture to look for, or several, with words or without.")
    ] = None,
    like: Annotated[list[str] | None, typer.Option(metavar="ID", help="More like this item of the index.")] = None,
    index: IndexOpt = "images",
    mode: Annotated[str, typer.Option(help="terms, words, vector or hybrid.")] = "hybrid",
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="CONDITION", help="Only items like this: a=b, a=b|c, a!=b, a>=1, a=1..5."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many results.")] = 10,
    weight: Annotated[
        float | None, typer.Option(min=0, help="Of the vector beside the terms.", show_default="the encoder's")
    ] = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="Of the words beside pictures.")] = 0.5,
    fusion: Annotated[
        str, typer.Option(help="How hybrid joins its sides: exact; mean or rrf where the cluster has neural-search.")
    ] = "exact",
    fold: Annotated[bool, typer.Option("--fold", help="Show only the best of near-duplicates.")] = False,
    facets: Annotated[
        list[str] | None,
        typer.Option("--facet", metavar="FIELD", help="Count a field's values; `term` for words."),
    ] = None,
    cutoff: Annotated[
        bool, typer.Option("--cutoff", help="Leave out what scores below the encoder's cut-off (see `lexel tune`).")
    ] = False,
    within: Annotated[
        float | None, typer.Option(min=0, max=1, help="Leave out what scores less than this share of the best.")
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="`first`, or the place that the page before named."),
    ] = None,
    dsl: Annotated[bool, typer.Option("--dsl", help="Print the query that was sent, as JSON.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = None,
) -> None:
    """Search by words, by pictures or by both, and see which words made each result.

    Example: lexel search "two dogs^2 +snow -cat" --index photos -k 5

    Example: lexel search "at night" --image street.jpg --index photos --facet term
    """
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.search.filters import field_name, parse_filter
    from lexel.pipeline.search.index import SearchIndex
    from lexel.pipeline.search.request import SearchRequest
    from lexel.pipeline.search.results import Cursor
    from lexel.pipeline.search.run import search_index as run

    place = SearchIndex(connect(), index)
    ask = SearchRequest(
        text=query or "",
        images=tuple(_picture(path) for path in images or []),
        like=tuple(like or []),
        mode=mode,  # type: ignore[arg-type]  # Ask refuses what is none
        k=k,
        filters=[parse_filter(text) for text in filters or []],
        weight=weight,
        share=share,
        fusion=fusion,  # type: ignore[arg-type]
        fold=fold,
        facets={field_name(facet): 10 for facet in facets or []},
        paged=page is not None,
        after=Cursor.parse(page) if page is not None and page != "first" else None,
    )
    result = run(place, ask)
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


def terms(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures.")],
    encoder: EncoderOpt = "lexel-tiny",
    k: Annotated[int, typer.Option("-k", min=1, help="How many words.")] = 20,
    device: DeviceOpt = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all words.")] = False,
    config: ConfigFile = None,
) -> None:
    """Print the weighted words of pictures.

    Example: lexel terms dog.jpg -k 10
    """
    from lexel.encoders import open_encoder
    from lexel.encoders.model import load_model
    from lexel.pipeline.search.encode_query import encode_picture

    model = load_model(open_encoder(encoder), device=device)
    words = {str(file): encode_picture(model, _picture(file)).terms[0] for file in files}
    if as_json:
        typer.echo(json.dumps(words, ensure_ascii=False, indent=1))
        return
    for file, weights in words.items():
        out.print(f"[dim]{file}, {len(weights)} words[/]")
        out.print(search_results.weighted(weights, limit=k))


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The picture {path} cannot be read: {error.strerror}.") from error
