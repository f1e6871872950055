"""The command that takes a score apart."""

import json
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import IndexOpt
from lexel.pipeline.cli.views.console import out


def explain(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Its id, or its uri.")],
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The words that were searched for.")],
    against: Annotated[
        str | None, typer.Option(metavar="ITEM", help="Another item: why does the one stand above the other?")
    ] = None,
    index: IndexOpt = "images",
    mode: Annotated[str, typer.Option(help="terms, words, vector or hybrid.")] = "hybrid",
    weight: Annotated[
        float | None, typer.Option(min=0, help="Of the vector beside the terms.", show_default="the encoder's")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = None,
) -> None:
    """Say why an item scores what it does: each word's part, the vector's, and what is missing.

    Example: lexel explain images/000001.jpg "two dogs in the snow" --index photos

    Example: lexel explain images/000001.jpg "a dog" --against images/000002.jpg --index photos
    """
    from lexel.pipeline.cli.views import explanation
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.explain import comparison
    from lexel.pipeline.explain import score_parts as one
    from lexel.pipeline.search.index import SearchIndex
    from lexel.pipeline.search.request import SearchRequest

    place = SearchIndex(connect(), index)
    ask = SearchRequest(query, mode=mode, weight=weight)  # type: ignore[arg-type]  # Ask refuses a mode that is none
    if against is None:
        why = one.explain_item(place, item, ask)
        answer, shown = one.as_json(why), explanation.explanation(why)
    else:
        compared = comparison.compare_items(place, ask, item, against)
        answer, shown = comparison.as_json(compared), explanation.comparison(compared)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    else:
        out.print(shown)
