"""A collection of drawn scenes in a real index, which tests ask and none changes."""

from dataclasses import dataclass
from pathlib import Path

from opensearchpy import OpenSearch

from lexel.encoders import open_encoder
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.scenes import write
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.sources.source import open_source

COUNT = 200


@dataclass(frozen=True)
class Drawn:
    """A drawn collection, indexed as pictures and as captions."""

    folder: Path
    images: SearchIndex
    captions: SearchIndex


def draw(client: OpenSearch, folder: Path) -> Drawn:
    manifest = write(folder, count=COUNT)
    for name, captions in (("drawn-images", False), ("drawn-captions", True)):
        source = open_source(manifest, captions=captions)
        encode_source(source, folder / name, encoder=open_encoder())
        load_shards(folder / name, index=name, client=client)
    return Drawn(folder, SearchIndex(client, "drawn-images"), SearchIndex(client, "drawn-captions"))
