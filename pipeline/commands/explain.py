"""The command that takes a score apart."""

import json
from typing import Annotated

import typer

from lexel.pipeline import show
from lexel.pipeline.config import ConfigFile
from lexel.pipeline.options import IndexOpt


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
    from lexel.pipeline import explain as one
    from lexel.pipeline import show_why, swap
    from lexel.pipeline.cluster import connect
    from lexel.pipeline.index import Index
    from lexel.pipeline.question import Ask

    place = Index(connect(), index)
    ask = Ask(query, mode=mode, weight=weight)  # type: ignore[arg-type]  # Ask refuses a mode that is none
    if against is None:
        why = one.explain(place, item, ask)
        answer, shown = one.as_json(why), show_why.explanation(why)
    else:
        compared = swap.compare(place, ask, item, against)
        answer, shown = swap.as_json(compared), show_why.comparison(compared)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    else:
        show.out.print(shown)
