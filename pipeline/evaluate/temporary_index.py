"""Temporary indices: there while they are asked, gone after, whatever happens meanwhile."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import orjson
from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException

from lexel.mappings import index_body
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.load import bulk
from lexel.pipeline.load.documents import COLUMNS, documents
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.shards.folder import ShardFolder

PREFIX = "lexel-evaluate"
View = Literal["terms", "words", "vector"]
VIEWS: tuple[View, ...] = ("terms", "words", "vector")
# Merging takes as long as it takes.
_HOURS = 6 * 3600
_RANKING_ALONE = LoadOptions(collection_fields=False, templates=False)


@contextmanager
def indexed(client: OpenSearch, folder: Path, *, watch: Watch = unwatched) -> Iterator[str]:
    """The shards in `folder` as an index of one segment, by its alias; it is removed at the end, also after an error.

    Raises what `load` does, and ClusterError where the index cannot be removed.
    """
    alias = f"{PREFIX}-{secrets.token_hex(4)}"
    with _removed_after(client, alias):
        with watch("Indexing") as progress:
            load_shards(folder, index=alias, client=client, options=_RANKING_ALONE, progress=progress)
        with readable_errors():
            _settle(client, alias)
        yield alias


@contextmanager
def _removed_after(client: OpenSearch, name: str) -> Iterator[None]:
    try:
        yield
    except BaseException:  # Ctrl-C too
        with suppress(OpenSearchException):  # what went wrong first is what a person needs to know
            _remove(client, name)
        raise
    with readable_errors():
        _remove(client, name)


def _remove(client: OpenSearch, name: str) -> None:
    """Remove the index `name` and those behind the alias, also where a broken load has not made the alias yet."""
    # One by one: a cluster may forbid deleting by a pattern.
    for index in client.indices.get_alias(index=f"{name}*"):
        client.indices.delete(index=index, ignore_unavailable=True)


def _settle(client: OpenSearch, index: str) -> None:
    """One segment, all on disk: sizes and nearest neighbours then do not depend on when segments were written."""
    client.indices.refresh(index=index)
    client.indices.forcemerge(index=index, max_num_segments=1, request_timeout=_HOURS)
    # Until somebody looks at the merged segment, those that it was made of stay on disk.
    client.indices.refresh(index=index)
    client.indices.flush(index=index)


def size(client: OpenSearch, index: str) -> int:
    """Bytes that the primary shards of `index` take on disk."""
    with readable_errors():
        found: dict[str, Any] = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])


def view_size(client: OpenSearch, folder: Path, view: View) -> int:
    """Bytes of an index that holds one view of the shards in `folder` and nothing else, not even the documents' source.

    OpenSearch cannot tell what a field takes of a segment, so the field gets an index of its own, which is measured and
    removed.
    """
    opened = ShardFolder.open(folder)
    name = f"{PREFIX}-{view}-{secrets.token_hex(4)}"
    with _removed_after(client, name), readable_errors():
        client.indices.create(index=name, body=_view_body(opened, view))
        for _ in bulk.send(client, name, _view_documents(opened, view)):
            pass
        _settle(client, name)
        return size(client, name)


def _view_documents(folder: ShardFolder, view: View) -> Iterator[bulk.Document]:
    for shard in folder.shards:
        for batch in shard.batches(columns=COLUMNS):
            for id_, document in documents(batch, shard=shard.number):
                yield id_, orjson.dumps({view: orjson.loads(document)[view]})


def _view_body(folder: ShardFolder, view: View) -> dict[str, Any]:
    body = index_body(
        dim=folder.job.dim,
        terms=folder.vocabulary.terms,
        forms=folder.vocabulary.forms,
        engine="lucene",
        shards=1,
        metadata={},
        about={},
    )
    mappings = body["mappings"]
    mappings["properties"] = {view: mappings["properties"][view]}
    # The source is else kept a second time, for replicas that fall behind.
    mappings["_source"] = {"enabled": False, "recovery_source_enabled": False}
    return body
