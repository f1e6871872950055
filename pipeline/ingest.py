"""Encodes a source and loads it into an index, in one call."""

import time
from dataclasses import dataclass
from pathlib import Path

from opensearchpy import OpenSearch

from lexel.encoders import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import EncodeReport, encode_source
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import LoadReport, load_shards
from lexel.pipeline.paths import index_shards_folder
from lexel.pipeline.progress import Watch, unwatched
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
    """Encode the items of `source` into shards, and replace the contents of `index` by them; can be resumed.

    The shards are stored in `out`, by default a folder of lexel's own for this index, source and encoder. Raises the
    errors of `encode_source` and `load_shards`.
    """
    folder = out or index_shards_folder(index, str(source.place), encoder.fingerprint)
    began = time.monotonic()
    with watch("Encoding") as progress:
        encoded = encode_source(source, folder, encoder=encoder, options=encode, progress=progress)
    seconds = time.monotonic() - began
    with watch("Loading") as progress:
        loaded = load_shards(folder, index=index, client=client, options=load, progress=progress)
    return IndexReport(encoded, loaded, folder, seconds)
