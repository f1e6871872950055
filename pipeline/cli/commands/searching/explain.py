"""`lexel explain`."""

import json
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    ASKED,
    IndexOpt,
    JsonOpt,
    LikeOpt,
    ModeOpt,
    UnlikeOpt,
    WeightOpt,
    WrittenWeightOpt,
)
from lexel.pipeline.cli.views.console import out


def explain(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="An item, by id or uri.")],
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The query text.")],
    against: Annotated[
        str | None,
        typer.Option(metavar="ITEM", help="Another item to compare with.", rich_help_panel=ASKED),
    ] = None,
    like: LikeOpt = None,
    unlike: UnlikeOpt = None,
    mode: ModeOpt = "hybrid",
    weight: WeightOpt = None,
    written_weight: WrittenWeightOpt = 0.0,
    as_json: JsonOpt = False,
    index: IndexOpt = "images",
    config: ConfigFile = None,
) -> None:
    """Explain an item's score: the parts of terms and vector, and missing terms.

    Example: lexel explain images/000001.jpg "two dogs in the snow" --index photos

    Example: lexel explain images/000001.jpg "a dog" --against images/000002.jpg --index photos
    """
    from lexel.pipeline.cli.views import explanation
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.explain import comparison, score_parts
    from lexel.pipeline.search.index import SearchIndex
    from lexel.pipeline.search.request import SearchRequest

    place = SearchIndex(connect(), index)
    request = SearchRequest(
        query,
        like=tuple(like or []),
        unlike=tuple(unlike or []),
        mode=mode,  # type: ignore[arg-type]  # it checks the value
        weight=weight,
        written_weight=written_weight,
    )
    if against is None:
        why = score_parts.explain_item(place, item, request)
        data, view = score_parts.as_json(why), explanation.explanation(why)
    else:
        compared = comparison.compare_items(place, request, item, against)
        data, view = comparison.as_json(compared), explanation.comparison(compared)
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        out.print(view)
