"""The `lexel` command: a table of what there is; the work is done elsewhere."""

import hashlib
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lexel.encoders.errors import EncoderError
from lexel.pipeline import show
from lexel.pipeline.config import ConfigFile
from lexel.pipeline.engine import cli as engine_cli
from lexel.pipeline.errors import ConfigError, LexelError, SourceError
from lexel.pipeline.options import (
    BatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOpt,
    EngineOpt,
    IndexOpt,
    PartOpt,
    ReplicasOpt,
    RetryOpt,
    ShardSizeOpt,
    ShardsOpt,
    SourceArg,
    WorkersOpt,
)

if TYPE_CHECKING:
    from lexel.encoders import Encoder
    from lexel.pipeline.encode import Report
    from lexel.pipeline.load import Loaded


class Commands(typer.core.TyperGroup):
    """Says what went wrong in one line, whatever command it was in."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that a person can put right ends with exit code 1 and no traceback."""
        try:
            return super().invoke(ctx)
        except (LexelError, EncoderError) as error:
            show.err.print(f"lexel: {error}", style="red", markup=False, soft_wrap=True)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            show.err.print(f"lexel: {error.strerror or error}{where}", style="red", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            stopped = "lexel: stopped; what was finished is kept, and the same command goes on from here."
            show.err.print(stopped, soft_wrap=True)
            raise typer.Exit(130) from None
        raise typer.Exit(1)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(engine_cli.app, name="engine")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lexel {version('lexel')}")
        raise typer.Exit


@app.callback()
def lexel(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """Images as weighted words, on OpenSearch.

    Begin with `lexel engine start`, then `lexel index FOLDER`, then `lexel search "a dog"`.
    """


@app.command()
def encode(
    source: SourceArg,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the shards; made if it is not there.")],
    encoder: EncoderOpt = "lexel-tiny",
    part: PartOpt = "0/1",
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    shard_size: ShardSizeOpt = 1024,
    captions: CaptionsOpt = False,
    retry: RetryOpt = False,
    config: ConfigFile = None,
) -> None:
    """Turn pictures into weighted words and vectors, as Parquet shards.

    The same command again goes on where it stopped. What cannot be read is listed in OUT/failures.parquet.

    Example: lexel encode ~/Pictures shards --batch-size 64
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.encode import Part
    from lexel.pipeline.encode import encode as run
    from lexel.pipeline.sources import open_source

    began = time.monotonic()
    with show.Bar("Encoding") as bar:
        report = run(
            open_source(source, captions=captions),
            out,
            encoder=open_encoder(encoder),
            part=Part.parse(part),
            batch_size=batch_size,
            device=device,
            workers=workers,
            shard_size=shard_size,
            retry=retry,
            progress=bar,
        )
    _say_encoded(report, out, time.monotonic() - began)


@app.command()
def load(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder of shards, from `lexel encode`.")],
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    config: ConfigFile = None,
) -> None:
    """Load shards into OpenSearch, behind an alias that changes over when all of it is there.

    Example: lexel load shards --index photos
    """
    _say_loaded(_load(out, index, shards, replicas, engine), index)


@app.command("index")
def index_(
    source: SourceArg,
    index: IndexOpt = "images",
    out: Annotated[
        Path | None, typer.Option(help="The folder for the shards.", show_default="one of lexel's own")
    ] = None,
    encoder: EncoderOpt = "lexel-tiny",
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    workers: WorkersOpt = None,
    captions: CaptionsOpt = False,
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    config: ConfigFile = None,
) -> None:
    """Encode and load in one go.

    Example: lexel index ~/Pictures --index photos
    """
    from lexel.encoders import open_encoder

    folder = out or _shards_of(index, source, open_encoder(encoder))
    encode(source, folder, encoder, "0/1", batch_size, device, workers, 1024, captions)
    load(folder, index, shards, replicas, engine)


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="What to look for, in words.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to look for, in place of words.")] = None,
    index: IndexOpt = "images",
    mode: Annotated[str, typer.Option(help="terms, words, vector or hybrid.")] = "hybrid",
    filters: Annotated[
        list[str] | None, typer.Option("--filter", metavar="FIELD=VALUE", help="Only items like this; may be repeated.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many results.")] = 10,
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


@app.command()
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


@app.command()
def scenes(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the pictures and scenes.jsonl.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 600,
    seed: Annotated[int, typer.Option(help="The first picture's seed.")] = 0,
    config: ConfigFile = None,
) -> None:
    """Draw a collection of pictures with true captions, to try lexel on.

    Example: lexel scenes drawn --count 100
    """
    from lexel.pipeline.scenes import write

    show.out.print(f"{count:,} pictures and their captions: {show.short(write(out, count=count, seed=seed).resolve())}")


def _load(out: Path, index: str, shards: int, replicas: int, engine: str) -> "Loaded":
    from lexel.pipeline.cluster import connect
    from lexel.pipeline.load import load as run

    with show.Bar("Loading") as bar:
        return run(
            out, index=index, client=connect(), shard_count=shards, replicas=replicas, engine=engine, progress=bar
        )


def _shards_of(index: str, source: str, encoder: "Encoder") -> Path:
    """One folder for each index, source and encoder, so that pointing an index at other pictures begins anew."""
    from lexel.pipeline.places import data_folder

    place = hashlib.blake2b(str(Path(source).expanduser().resolve()).encode(), digest_size=4).hexdigest()
    return data_folder() / "shards" / f"{index}-{place}-{encoder.fingerprint[:8]}"


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"The picture {path} cannot be read: {error.strerror}.") from error


def _say_encoded(report: "Report", out: Path, seconds: float) -> None:
    kept = report.items - report.new
    rate = f", {report.new / seconds:,.0f} a second" if report.new else ""
    earlier = f" ({kept:,} by earlier runs)" if kept else ""
    done = f"{report.encoded:,} of {report.items:,} items encoded{earlier} in {seconds:.1f} s{rate}"
    show.out.print(f"{done}: {show.short(out.resolve())}", soft_wrap=True)
    if report.failed:
        why = show.short((out / "failures.parquet").resolve())
        show.out.print(f"{report.failed:,} failed: {why} says why.", style="yellow", soft_wrap=True)


def _say_loaded(loaded: "Loaded", index: str) -> None:
    show.out.print(f"{loaded.documents:,} documents in the index {index}, {loaded.sent:,} of them sent by this run")


def main() -> None:
    """Run the command line."""
    app()
