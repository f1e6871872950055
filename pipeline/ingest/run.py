"""Encodes a source and loads it into an index, in one call. A known source costs what has changed."""

import time
from dataclasses import dataclass
from pathlib import Path

from opensearchpy import OpenSearch

from lexel.encoders import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import EncodeReport, encode_source
from lexel.pipeline.load.live.update import NewIndexNeededError, live_index, update_index
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.load_plan import check_index
from lexel.pipeline.load.load_report import LoadReport
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.paths import index_shards_folder
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.shards.compact import compact_shards, is_compact
from lexel.pipeline.sources.source import Source


@dataclass(frozen=True)
class IndexReport:
    """The reports of encoding and loading, the folder of shards, and the duration of encoding in seconds."""

    encoded: EncodeReport
    loaded: LoadReport
    shards: Path
    encoding_seconds: float


def index_source(
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
    """Encode the items of `source` into shards, and let `index` hold them and nothing else; can be resumed.

    An index of the same source, encoder and options is brought up to date in place; else a new one takes its place,
    unless `load` forbids that. The shards are stored in `out`, by default a folder of lexel's own for this index,
    source and encoder. Raises the errors of `encode_source`, `update_index` and `load_shards`.
    """
    folder = out or index_shards_folder(index, str(source.place), encoder.fingerprint)
    check_index(index, load, client)  # before hours of encoding
    began = time.monotonic()
    with watch("Encoding") as progress:
        encoded = encode_source(source, folder, encoder=encoder, options=encode, progress=progress)
    seconds = time.monotonic() - began
    with watch("Loading") as progress:
        try:
            job = update_index if live_index(client, index) else load_shards
            loaded = job(folder, index=index, client=client, options=load, progress=progress)
        except NewIndexNeededError:
            if load.in_place:
                raise
            loaded = load_shards(folder, index=index, client=client, options=load, progress=progress)
    if not is_compact(folder):
        compact_shards(folder)
    return IndexReport(encoded, loaded, folder, seconds)
