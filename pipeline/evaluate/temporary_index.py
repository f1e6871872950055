"""Temporary indices, which are always removed after use."""

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
from lexel.pipeline.load.documents.row_documents import COLUMNS, documents
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.shards.folder import ShardFolder

PREFIX = "lexel-evaluate"
View = Literal["terms", "words", "vector"]
VIEWS: tuple[View, ...] = ("terms", "words", "vector")
# Timeout of a merge in seconds.
_HOURS = 6 * 3600
_RANKING_ALONE = LoadOptions(collection_fields=False, templates=False)


@contextmanager
def indexed(client: OpenSearch, folder: Path, *, watch: Watch = unwatched) -> Iterator[str]:
    """Index the shards in `folder` into one segment and yield the alias; the index is removed at the end.

    Raises the errors of `load_shards`, and ClusterError if the index cannot be removed.
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
        with suppress(OpenSearchException):  # the first error is the one to report
            _remove(client, name)
        raise
    with readable_errors():
        _remove(client, name)


def _remove(client: OpenSearch, name: str) -> None:
    """Remove all indices whose name begins with `name`: a failed load may not have made the alias yet."""
    # One by one: a cluster may forbid deletion by wildcard.
    for index in client.indices.get_alias(index=f"{name}*"):
        client.indices.delete(index=index, ignore_unavailable=True)


def _settle(client: OpenSearch, index: str) -> None:
    """Merge to one segment on disk, so that size and nearest neighbours do not depend on when segments were written."""
    client.indices.refresh(index=index)
    client.indices.forcemerge(index=index, max_num_segments=1, request_timeout=_HOURS)
    # The old segments stay on disk until a refresh opens the merged one.
    client.indices.refresh(index=index)
    client.indices.flush(index=index)


def size(client: OpenSearch, index: str) -> int:
    """The size in bytes of the primary shards of `index`."""
    with readable_errors():
        found: dict[str, Any] = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])


def view_size(client: OpenSearch, folder: Path, view: View) -> int:
    """The size in bytes of an index with only the field `view` of the shards in `folder`, without `_source`.

    OpenSearch does not report the size of a field, so it is indexed alone and measured.
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
    # Otherwise the source is stored for the recovery of replicas.
    mappings["_source"] = {"enabled": False, "recovery_source_enabled": False}
    return body
