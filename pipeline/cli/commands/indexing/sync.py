"""`lexel sync`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    OUTPUT,
    READ,
    AllowShrinkOpt,
    AutoBatchOpt,
    CaptionsOpt,
    DeviceOpt,
    EncoderOfIndexOpt,
    ExactOpt,
    ExcludeOpt,
    IncludeOpt,
    IndexOpt,
    LabelsFromFoldersOpt,
    RetryOpt,
    SourceArg,
    VerifyOpt,
    WorkersOpt,
)
from lexel.pipeline.cli.views.changes import changes_in_words, show_plan
from lexel.pipeline.cli.views.console import say, warn
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_loaded_in_place, warn_failed
from lexel.pipeline.errors import LexelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lexel.pipeline.ingest.run import IndexReport


def sync(
    source: SourceArg,
    captions: CaptionsOpt = False,
    include: IncludeOpt = None,
    exclude: ExcludeOpt = None,
    labels_from_folders: LabelsFromFoldersOpt = False,
    retry: RetryOpt = False,
    verify: VerifyOpt = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what has changed, and do nothing about it.", rich_help_panel=OUTPUT),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and sync again whenever files change.", rich_help_panel=READ)
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(min=1, help="With --watch: look every so many seconds, as shares need.", rich_help_panel=READ),
    ] = None,
    encoder: EncoderOfIndexOpt = None,
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    workers: WorkersOpt = None,
    exact: ExactOpt = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for the shards.", show_default="one of lexel's own", rich_help_panel=OUTPUT),
    ] = None,
    index: IndexOpt = "images",
    allow_shrink: AllowShrinkOpt = False,
    config: ConfigFile = None,
) -> None:
    """Bring an index up to date with its source: encode what is new, and remove what is gone.

    Searches go on meanwhile. What has not changed is not read; what was moved or copied is not encoded again.

    Example: lexel sync ~/Pictures --index photos
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.encode.encode_options import EncodeOptions
    from lexel.pipeline.ingest.follow import rounds
    from lexel.pipeline.ingest.sync import encoder_of, plan_sync, sync_source
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.sources.selection import Selection
    from lexel.pipeline.sources.source import open_source

    selection = Selection(tuple(include or ()), tuple(exclude or ()), labels_from_folders)
    pictures = open_source(source, captions=captions, selection=selection)
    client = connect()
    chosen = open_encoder(encoder) if encoder else encoder_of(client, index, pictures)
    if dry_run:
        show_plan(plan_sync(pictures, index=index, encoder=chosen, client=client, out=out, verify=verify))
        return
    options = EncodeOptions(
        batch_size=batch_size,
        device=device,
        workers=workers,
        retry=retry,
        verify=verify,
        exact=exact,
        write_map=True,
    )

    def once() -> "IndexReport":
        return sync_source(
            pictures,
            index=index,
            encoder=chosen,
            client=client,
            out=out,
            encode=options,
            load=LoadOptions(allow_shrink=allow_shrink),
            watch=Bar,
        )

    if not watch:
        _report(once, index)
        return
    for _ in rounds(pictures.root, every=every):
        try:
            _report(once, index)
        except LexelError as error:  # a share that is away, or a cluster that restarts, comes back
            warn(f"{time.strftime('%H:%M:%S')}  {error}")


def _report(once: "Callable[[], IndexReport]", index: str) -> None:
    began = time.monotonic()
    report = once()
    words = changes_in_words(report.encoded.changes)
    say(f"{time.strftime('%H:%M:%S')}  {words}, in {time.monotonic() - began:.1f} s")
    for sentence in report.encoded.notes:
        say(sentence)
    warn_failed(report.encoded.failed, (report.shards / "failures.parquet").resolve())
    say_loaded_in_place(report.loaded, index)
