"""`lexel index`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    OUTPUT,
    AllowShrinkOpt,
    AutoBatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOfIndexOpt,
    EngineOpt,
    ExactOpt,
    ExcludeOpt,
    IncludeOpt,
    IndexOpt,
    LabelsFromFoldersOpt,
    MergeOpt,
    NoExifOpt,
    ReplicasOpt,
    RetryOpt,
    ShardsOpt,
    SourceArg,
    ThumbnailOpt,
    VerifyOpt,
    WorkersOpt,
)
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_encoded, say_loaded
from lexel.pipeline.images.preview import SIDE


def index(
    source: SourceArg,
    captions: CaptionsOpt = False,
    retry: RetryOpt = False,
    verify: VerifyOpt = False,
    include: IncludeOpt = None,
    exclude: ExcludeOpt = None,
    labels_from_folders: LabelsFromFoldersOpt = False,
    no_exif: NoExifOpt = False,
    encoder: EncoderOfIndexOpt = None,
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    workers: WorkersOpt = None,
    exact: ExactOpt = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for the shards.", show_default="one of lexel's own", rich_help_panel=OUTPUT),
    ] = None,
    thumbnail: ThumbnailOpt = SIDE,
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = None,
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
    from lexel.pipeline.ingest.run import index_source
    from lexel.pipeline.ingest.sync import encoder_of
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.sources.selection import Selection
    from lexel.pipeline.sources.source import open_source

    selection, client = Selection(tuple(include or ()), tuple(exclude or ()), labels_from_folders), connect()
    pictures = open_source(source, captions=captions, selection=selection)
    report = index_source(
        pictures,
        index=index,
        encoder=open_encoder(encoder) if encoder else encoder_of(client, index, pictures),
        client=client,
        out=out,
        encode=EncodeOptions(
            batch_size=batch_size,
            device=device,
            workers=workers,
            retry=retry,
            verify=verify,
            exact=exact,
            preview=PreviewOptions(thumbnail),
            exif=not no_exif,
            write_map=True,
        ),
        load=LoadOptions(shard_count=shards, replicas=replicas, engine=engine, merge=merge, allow_shrink=allow_shrink),
        watch=Bar,
    )
    say_encoded(report.encoded, report.shards, report.encoding_seconds)
    say_loaded(report.loaded, index)
