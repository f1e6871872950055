"""`lexel index`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    OUTPUT,
    AllowShrinkOpt,
    BatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOpt,
    EngineOpt,
    ExcludeOpt,
    IncludeOpt,
    IndexOpt,
    MergeOpt,
    ReplicasOpt,
    RetryOpt,
    ShardsOpt,
    SourceArg,
    ThumbnailOpt,
    WorkersOpt,
)
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_encoded, say_loaded
from lexel.pipeline.images.preview import SIDE


def index(
    source: SourceArg,
    captions: CaptionsOpt = False,
    retry: RetryOpt = False,
    include: IncludeOpt = None,
    exclude: ExcludeOpt = None,
    encoder: EncoderOpt = "lexel-photo",
    device: DeviceOpt = "auto",
    batch_size: BatchOpt = 32,
    workers: WorkersOpt = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for the shards.", show_default="one of lexel's own", rich_help_panel=OUTPUT),
    ] = None,
    thumbnail: ThumbnailOpt = SIDE,
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = False,
    allow_shrink: AllowShrinkOpt = False,
    config: ConfigFile = None,
) -> None:
    """Encode images and load them into an index, in one step.

    Example: lexel index ~/Pictures --index photos
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.encode.encode_options import EncodeOptions
    from lexel.pipeline.images.preview import PreviewOptions
    from lexel.pipeline.ingest import index_source
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.sources.selection import Selection
    from lexel.pipeline.sources.source import open_source

    selection = Selection(tuple(include or ()), tuple(exclude or ()))
    report = index_source(
        open_source(source, captions=captions, selection=selection),
        index=index,
        encoder=open_encoder(encoder),
        client=connect(),
        out=out,
        encode=EncodeOptions(
            batch_size=batch_size,
            device=device,
            workers=workers,
            retry=retry,
            preview=PreviewOptions(thumbnail),
            write_map=True,
        ),
        load=LoadOptions(shard_count=shards, replicas=replicas, engine=engine, merge=merge, allow_shrink=allow_shrink),
        watch=Bar,
    )
    say_encoded(report.encoded, report.shards, report.encoding_seconds)
    say_loaded(report.loaded, index)
