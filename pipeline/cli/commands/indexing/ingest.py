"""The commands that bring pictures into OpenSearch: encode, load, index, and scenes to try them on."""

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    BatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOpt,
    EngineOpt,
    ExactOpt,
    IndexOpt,
    MergeOpt,
    PartOpt,
    RayOpt,
    ReplicasOpt,
    RetryOpt,
    ShardSizeOpt,
    ShardsOpt,
    SourceArg,
    ThumbnailOpt,
    WorkersOpt,
)
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import Bar, short
from lexel.pipeline.images.preview import SIDE

if TYPE_CHECKING:
    from lexel.encoders import Encoder
    from lexel.pipeline.encode.run import EncodeReport
    from lexel.pipeline.load.run import LoadReport


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
    thumbnail: ThumbnailOpt = SIDE,
    retry: RetryOpt = False,
    exact: ExactOpt = False,
    ray: RayOpt = False,
    config: ConfigFile = None,
) -> None:
    """Turn pictures into weighted words and vectors, as Parquet shards.

    The same command again goes on where it stopped. What cannot be read is listed in OUT/failures.parquet.

    Example: lexel encode ~/Pictures shards --batch-size 64
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.collection.tsne_map import write_map
    from lexel.pipeline.encode.ray_cluster import encode_on_ray
    from lexel.pipeline.encode.run import Options, Part
    from lexel.pipeline.encode.run import encode_source as run
    from lexel.pipeline.errors import ConfigError
    from lexel.pipeline.sources.source import open_source

    began = time.monotonic()
    options: Options = {
        "batch_size": batch_size,
        "device": device,
        "workers": workers,
        "shard_size": shard_size,
        "retry": retry,
        "exact": exact,
        "thumbnail": thumbnail,
    }
    if ray and part != "0/1":
        raise ConfigError("--ray makes parts by itself; leave out --part.")
    with Bar("Encoding") as bar:
        if ray:
            report = encode_on_ray(source, out, encoder=encoder, captions=captions, progress=bar, **options)
        else:
            pictures = open_source(source, captions=captions)
            report = run(pictures, out, encoder=open_encoder(encoder), part=Part.parse(part), progress=bar, **options)
    seconds = time.monotonic() - began
    if part == "0/1":
        write_map(out)  # for the load, which then has nothing to do but to send
    _say_encoded(report, out, seconds)


def load(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder of shards, from `lexel encode`.")],
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = False,
    config: ConfigFile = None,
) -> None:
    """Load shards into OpenSearch, behind an alias that changes over when all of it is there.

    Example: lexel load shards --index photos
    """
    _say_loaded(_load(out, index, shards, replicas, engine, merge), index)


def index(
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
    thumbnail: ThumbnailOpt = SIDE,
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = False,
    config: ConfigFile = None,
) -> None:
    """Encode and load in one go.

    Example: lexel index ~/Pictures --index photos
    """
    from lexel.encoders import open_encoder

    folder = out or _shards_of(index, source, open_encoder(encoder))
    encode(source, folder, encoder, "0/1", batch_size, device, workers, 1024, captions, thumbnail)
    load(folder, index, shards, replicas, engine, merge)


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

    console.out.print(f"{count:,} pictures and their captions: {short(write(out, count=count, seed=seed).resolve())}")


def _load(out: Path, index: str, shards: int, replicas: int, engine: str, merge: bool) -> "LoadReport":
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.load.run import load_shards as run

    with Bar("Loading") as bar:
        return run(
            out,
            index=index,
            client=connect(),
            shard_count=shards,
            replicas=replicas,
            engine=engine,
            merge=merge,
            progress=bar,
        )


def _shards_of(index: str, source: str, encoder: "Encoder") -> Path:
    """One folder for each index, source and encoder, so that pointing an index at other pictures begins anew."""
    from lexel.pipeline.paths import data_folder

    place = hashlib.blake2b(str(Path(source).expanduser().resolve()).encode(), digest_size=4).hexdigest()
    return data_folder() / "shards" / f"{index}-{place}-{encoder.fingerprint[:8]}"


def _say_encoded(report: "EncodeReport", out: Path, seconds: float) -> None:
    kept = report.items - report.new
    rate = f", {report.new / seconds:,.0f} a second" if report.new else ""
    earlier = f" ({kept:,} by earlier runs)" if kept else ""
    done = f"{report.encoded:,} of {report.items:,} items encoded{earlier} in {seconds:.1f} s{rate}"
    console.out.print(f"{done}: {short(out.resolve())}", soft_wrap=True)
    if report.failed:
        why = short((out / "failures.parquet").resolve())
        console.out.print(f"{report.failed:,} failed: {why} says why.", style="yellow", soft_wrap=True)


def _say_loaded(loaded: "LoadReport", index: str) -> None:
    console.out.print(f"{loaded.documents:,} documents in the index {index}, {loaded.sent:,} of them sent by this run")
    if loaded.unfinished:
        names = ", ".join(loaded.unfinished)
        console.out.print(
            f"Not finished by another load of {index}: {names}. A load of a day later removes what is still there.",
            style="yellow",
            soft_wrap=True,
        )
