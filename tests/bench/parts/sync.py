"""What a sync costs beside listing, encoding the changed pictures alone, and a bulk of the changed documents."""

import os
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import orjson
from opensearchpy import OpenSearch

from bench.figure import Figure, beside
from bench.node import Bare, own_node, seconds
from bench.parts.growth import command, peak
from bench.parts.living import Living
from lexel.encoders import Encoder, open_encoder
from lexel.pipeline.encode import prepare
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.engine.node_control import Node
from lexel.pipeline.ingest.run import IndexReport
from lexel.pipeline.ingest.sync import sync_source
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index
from lexel.pipeline.sources.source import open_source

_COUNTS, _EACH, _MOVED, _ADDED = (1_000, 10_000, 100_000), 10, 10_000, 1_000
_OPTIONS = EncodeOptions(device="cpu", preview=None)


def run(quick: bool) -> Iterator[Figure]:
    counts, each, moved, added = ((60, 120), 3, 40, 20) if quick else (_COUNTS, _EACH, _MOVED, _ADDED)
    encoder = open_encoder("lexel-tiny")
    with TemporaryDirectory(prefix="lexel-bench-") as place, own_node(heap="2g") as (node, client):
        peaks = list[int]()
        for count in counts:
            living = Living.make(Path(place) / str(count), count, encoder)
            yield from _changed(living, count, each, encoder, node, client)
            words = ["sync", str(living.folder), "--index", f"living-{count}", "--out", str(living.shards)]
            peaks.append(peak(command(*words), OPENSEARCH_URL=node.url))
        few, many = counts[-2:]
        by = (peaks[-1] - peaks[-2]) / (many - few)
        yield Figure("an item more", by, "bytes of memory", note=f"of lexel sync, from {few:,} to {many:,} items")
        yield from _moved(Path(place) / "moved", moved, encoder, client)
        yield from _searched(Path(place) / "searched", added, encoder, client)


def _changed(
    living: Living, count: int, each: int, encoder: Encoder, node: Node, client: OpenSearch
) -> Iterator[Figure]:
    index = f"living-{count}"
    _sync(living, index, encoder, client)
    idle = seconds(lambda: _sync(living, index, encoder, client))
    listing = seconds(lambda: _listed(living.folder))
    yield beside(f"{count:,} items, nothing new", idle, "s", ceiling=2 * listing + 1, wanted="<= 1", note=_FLOORS)
    changed, documents = living.change(each)
    encoding = seconds(lambda: _encoded(changed, living.folder.with_name("alone"), encoder))
    sending = seconds(lambda: _bulk(node, documents, encoder))
    took = seconds(lambda: _sync(living, index, encoder, client))
    floors = listing + encoding + sending
    note = f"{_FLOORS}: {listing:.2f} + {encoding:.2f} + {sending:.2f} s"
    name = f"{count:,} items, {each} new, changed, moved and removed"
    yield beside(name, took, "s", ceiling=2 * floors + 1, wanted="<= 1", note=note)


_FLOORS = "twice the floors and 1 s; the floors are scandir and stat, encoding what changed alone, a bulk of it"


def _moved(place: Path, count: int, encoder: Encoder, client: OpenSearch) -> Iterator[Figure]:
    living = Living.make(place, count, encoder)
    _sync(living, "moved", encoder, client)
    whole = living.folder.rename(living.folder.with_name("elsewhere"))
    living.folder.mkdir()
    whole.rename(living.folder / "moved")
    with _counted() as decoded:
        took = seconds(lambda: _sync(living, "moved", encoder, client))
    yield Figure(f"a folder of {count:,} moved: pictures decoded", len(decoded), "pictures", wanted="<= 0")
    yield Figure(f"a folder of {count:,} moved", count / took, "pictures/s")


def _searched(place: Path, added: int, encoder: Encoder, client: OpenSearch) -> Iterator[Figure]:
    """Searches while a sync adds pictures, beside the same at rest."""
    living = Living.make(place, 2 * added, encoder)
    _sync(living, "searched", encoder, client)
    index, rest, busy = SearchIndex(client, "searched"), list[float](), list[float]()
    request = SearchRequest("a dog on the beach", mode="words", k=10)
    for _ in range(200 if added >= _ADDED else 5):
        rest.append(seconds(lambda: search_index(index, request)))
    more = Living.make(place / "more", added, encoder)
    more.folder.rename(living.folder / "more")
    thread = threading.Thread(target=_sync, args=(living, "searched", encoder, client))
    thread.start()
    while thread.is_alive():
        busy.append(seconds(lambda: search_index(index, request)))
    thread.join()
    now, before = (1000 * statistics.median(times) for times in (busy, rest))
    yield beside(
        f"search while {added:,} pictures are added, p50", now, "ms", ceiling=before, wanted="<= 2", note="at rest"
    )


def _sync(living: Living, index: str, encoder: Encoder, client: OpenSearch) -> IndexReport:
    return sync_source(
        open_source(living.folder), index=index, encoder=encoder, client=client, out=living.shards, encode=_OPTIONS
    )


def _listed(folder: Path) -> int:
    """What every listing must do: ask for each name, and for each file's size and time."""
    found, folders = 0, [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    found += bool(entry.stat().st_size)
    return found


def _encoded(paths: list[Path], place: Path, encoder: Encoder) -> None:
    place.mkdir()
    for i, path in enumerate(paths):
        (place / f"{i:03d}.jpg").write_bytes(path.read_bytes())
    encode_source(open_source(place), place.with_name("alone-shards"), encoder=encoder, options=_OPTIONS)


def _bulk(node: Node, documents: int, encoder: Encoder) -> None:
    """A bulk of as many documents of about that size, to an index that does nothing with them, and a refresh."""
    body = {"terms": dict.fromkeys(encoder.vocabulary.terms[:64], 1.5), "vector": [0.1] * 256}
    lines = b"".join(b'{"index":{}}\n' + orjson.dumps(body) + b"\n" for _ in range(documents))
    bare = Bare(node)
    bare.ask("POST", "/living-floor/_bulk?filter_path=errors", lines, "application/x-ndjson")
    bare.ask("POST", "/living-floor/_refresh")


@contextmanager
def _counted() -> Iterator[list[int]]:
    """The sizes of the pictures that are decoded meanwhile."""
    found, decode = list[int](), prepare.decode

    def counting(content: bytes, **options: object) -> object:
        found.append(len(content))
        return decode(content, **options)  # type: ignore[arg-type]

    with mock.patch.object(prepare, "decode", counting):
        yield found
