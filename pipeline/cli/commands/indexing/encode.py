"""`lexel encode`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    AutoBatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOpt,
    ExactOpt,
    ExcludeOpt,
    IncludeOpt,
    LabelsFromFoldersOpt,
    NoExifOpt,
    PartOpt,
    RayOpt,
    RetryOpt,
    ShardSizeOpt,
    SourceArg,
    ThumbnailOpt,
    VerifyOpt,
    WorkersOpt,
    check_whole,
)
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_encoded
from lexel.pipeline.images.preview import SIDE


def encode(
    source: SourceArg,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the shards; created if necessary.")],
    captions: CaptionsOpt = False,
    include: IncludeOpt = None,
    exclude: ExcludeOpt = None,
    labels_from_folders: LabelsFromFoldersOpt = False,
    no_exif: NoExifOpt = False,
    retry: RetryOpt = False,
    verify: VerifyOpt = False,
    encoder: EncoderOpt = "lexel-photo",
    exact: ExactOpt = False,
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    workers: WorkersOpt = None,
    part: PartOpt = "0/1",
    ray: RayOpt = False,
    shard_size: ShardSizeOpt = 1024,
    thumbnail: ThumbnailOpt = SIDE,
    config: ConfigFile = None,
) -> None:
    """Encode images into weighted words and vectors, stored as Parquet shards.

    The same command again resumes an interrupted job. Images that cannot be read are listed in OUT/failures.parquet.

    Example: lexel encode ~/Pictures shards --batch-size 64
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.encode.encode_options import EncodeOptions
    from lexel.pipeline.encode.ray_cluster import encode_on_ray
    from lexel.pipeline.encode.run import encode_source
    from lexel.pipeline.images.preview import PreviewOptions
    from lexel.pipeline.shards.part import Part
    from lexel.pipeline.sources.selection import Selection
    from lexel.pipeline.sources.source import open_source

    check_whole(part, ray=ray)
    began, share = time.monotonic(), Part.parse(part)
    selection = Selection(tuple(include or ()), tuple(exclude or ()), labels_from_folders)
    options = EncodeOptions(
        batch_size=batch_size,
        device=device,
        workers=workers,
        shard_size=shard_size,
        retry=retry,
        verify=verify,
        exact=exact,
        preview=PreviewOptions(thumbnail),
        exif=not no_exif,
        write_map=True,
    )
    with Bar("Encoding") as bar:
        if ray:
            report = encode_on_ray(
                source,
                out,
                encoder=encoder,
                captions=captions,
                selection=selection,
                options=options,
                progress=bar,
            )
        else:
            pictures, opened = open_source(source, captions=captions, selection=selection), open_encoder(encoder)
            report = encode_source(pictures, out, encoder=opened, part=share, options=options, progress=bar)
    say_encoded(report, out, time.monotonic() - began)
