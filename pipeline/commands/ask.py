"""The commands that ask: search an index, and read a picture's words."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline import show
from lexel.pipeline.config import ConfigFile
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.options import DeviceOpt, EncoderOpt, IndexOpt


def search(
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="What to look for, in words.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to look for, in place of words.")] = None,
    index: IndexOpt = "images",
    mode: Annotated[str, typer.Option(help="terms, words, vector or hybrid.")] = "hybrid",
    filters: Annotated[
        list[str] | None, typer.Option("--filter", metavar="FIELD=VALUE", help="Only items like this; may be repeated.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many results.")] = 10,
    cutoff: Annotated[
        bool, typer.Option("--cutoff", help="Leave out what scores below the encoder's cut-off (see `lexel tune`).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = None,
) -> None:
    """Search by words or by a picture, and see which words made each result.

    Example: lexel search "two dogs in the snow" --index photos -k 5

    Example: lexel search --image dog.jpg --index captions
    """
    from lexel.pipeline.cluster import connect
    from lexel.pipeline.queries import parse_filter
    from lexel.pipeline.search import MODES, Index

    if (query is None) == (image is None):
        raise ConfigError("Give words to search for, or --image FILE, one of the two.")
    if mode not in MODES:
        raise ConfigError(f"There is no mode {mode!r}; choose {', '.join(MODES)}.")
    place = Index(connect(), index)
    where = [parse_filter(text) for text in filters or []]
    if image is not None:
        result = place.by_image(_picture(image), mode=mode, k=k, filters=where)
    else:
        result = place.by_text(query or "", mode=mode, k=k, filters=where)
    if cutoff:
        result = result.above(place.encoder.cutoff("text" if image is None else "image", mode))
    if as_json:
        typer.echo(json.dumps(show.as_json(result), ensure_ascii=False, indent=1))
    elif result.hits:
        show.out.print(show.found(result))
        show.out.print(f"[dim]{result.total:,} match, {result.took} ms[/]")
    else:
        show.out.print(
            "Nothing matches."
            + ("" if mode == "hybrid" else " Its words may be unknown to the encoder; try --mode hybrid.")
        )


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
    from lexel.pipeline.search import encode_picture

    model = open_encoder(encoder).load(device=device)
    words = {str(file): encode_picture(model, _picture(file)).terms[0] for file in files}
    if as_json:
        typer.echo(json.dumps(words, ensure_ascii=False, indent=1))
        return
    for file, weights in words.items():
        show.out.print(f"[dim]{file}, {len(weights)} words[/]")
        show.out.print(show.weighted(weights, limit=k))


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The picture {path} cannot be read: {error.strerror}.") from error
