"""Keeps an index like its source: what is new, changed, moved or gone, and nothing else, is done."""

from dataclasses import replace
from pathlib import Path

from opensearchpy import OpenSearch

from lexel.encoders import Encoder, open_encoder
from lexel.pipeline.encode.changes.survey import Survey
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import survey_source
from lexel.pipeline.images.preview import PreviewOptions
from lexel.pipeline.ingest.run import IndexReport, index_source
from lexel.pipeline.load.live.replaced import kind_of_items, source_in
from lexel.pipeline.load.live.update import LiveIndex, NewIndexNeededError, live_index
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.load_plan import check_index
from lexel.pipeline.paths import index_shards_folder
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.sources.item import readable
from lexel.pipeline.sources.source import Source


def sync_source(
    source: Source,
    *,
    index: str,
    encoder: Encoder,
    client: OpenSearch,
    out: Path | None = None,
    encode: EncodeOptions = EncodeOptions(write_map=True),
    load: LoadOptions = LoadOptions(),
    watch: Watch = unwatched,
) -> IndexReport:
    """As `index_source`, but an index of another source or encoder, or that cannot be changed in place, is left alone.

    Shards that are there keep the thumbnails and facts that they were made with, whatever `encode` says. Raises
    NewIndexNeededError for such an index, and the errors of `index_source`.
    """
    _check_same(source, index, encoder, client)
    folder = out or index_shards_folder(index, str(source.place), encoder.fingerprint)
    return index_source(
        source,
        index=index,
        encoder=encoder,
        client=client,
        out=folder,
        encode=_as_begun(folder, encode),
        load=replace(load, in_place=True),
        watch=watch,
    )


def _as_begun(folder: Path, options: EncodeOptions) -> EncodeOptions:
    """The options with the thumbnails and facts of the shards that are there."""
    if not (folder / "job.json").exists():
        return options
    job = read_job(folder)
    return replace(options, preview=PreviewOptions(job.thumbnail), exif=job.exif is not False)


def plan_sync(
    source: Source, *, index: str, encoder: Encoder, client: OpenSearch, out: Path | None = None, verify: bool = False
) -> Survey:
    """What a sync would do, from the shards alone; nothing is written.

    Raises NewIndexNeededError where the sync would, as far as that can be told without encoding.
    """
    check_index(index, LoadOptions(), client)
    _check_same(source, index, encoder, client)
    folder = out or index_shards_folder(index, str(source.place), encoder.fingerprint)
    return survey_source(source, folder, encoder=encoder, options=EncodeOptions(verify=verify))


def encoder_of(client: OpenSearch, index: str, source: Source) -> Encoder:
    """The encoder that an index of this source was made with; the default one where there is none yet."""
    live = live_index(client, index)
    return open_encoder(live.about["encoder"]) if live and _is_of(live, source) else open_encoder()


def _check_same(source: Source, index: str, encoder: Encoder, client: OpenSearch) -> None:
    """Raise NewIndexNeededError, before anything is encoded, if the index is of another encoder or source."""
    live = live_index(client, index)
    if live is None:
        return
    again = f"`lexel index {source.place} --index {index}` makes a new index in its place"
    if live.about["fingerprint"] != encoder.fingerprint:
        raise NewIndexNeededError(
            f"{index} was made with the encoder {live.about['name']} ({live.about['fingerprint']}), "
            f"not {encoder.name} ({encoder.fingerprint}); {again}."
        )
    if live.about.get("captions") != source.captions:
        option = "with --captions" if live.about.get("captions") else "without --captions"
        raise NewIndexNeededError(f"{index} shows the {kind_of_items(live.about)} of a source; sync it {option}.")
    if not _is_of(live, source):
        raise NewIndexNeededError(f"{index} shows documents of {source_in(live.about)}; {again}.")


def _is_of(live: LiveIndex, source: Source) -> bool:
    there = (live.about.get("root"), live.about.get("source"), live.about.get("captions"))
    return there == (readable(str(source.root)), readable(source.name), source.captions)
