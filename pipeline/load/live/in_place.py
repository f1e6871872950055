"""Changes the documents of an index until it holds what the ledger says. What is right is not sent.

New documents go first, then those that are gone: a search finds the old document or the new one, and never none. What
an interrupted run left is found by the next one, since the index itself says what it holds.
"""

from dataclasses import dataclass

from opensearchpy import OpenSearch

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load import bulk
from lexel.pipeline.load.bulk import Rejected
from lexel.pipeline.load.documents.shard_documents import ShardDocuments
from lexel.pipeline.load.live.index_states import Difference, difference
from lexel.pipeline.progress import Progress

# Another sync of the same index, from another folder, can undo what this one does.
_ROUNDS = 3


@dataclass(frozen=True)
class Applied:
    """How many documents were sent and removed, and those that OpenSearch rejected."""

    sent: int = 0
    removed: int = 0
    rejected: tuple[Rejected, ...] = ()


def apply_states(
    client: OpenSearch, index: str, source: ShardDocuments, found: Difference, *, connections: int, progress: Progress
) -> Applied:
    """Send and remove documents of `index`, an alias, until it holds the states of `source`.

    `found` is how they differ now. Raises ClusterError if they still differ in the end.
    """
    sent = removed = 0
    rejected = dict[str, Rejected]()
    for _ in range(_ROUNDS):
        if not found.any:
            break
        for outcome in bulk.send(
            client, index, source.some(found.missing), connections=connections, require_alias=True
        ):
            sent += outcome.accepted
            rejected |= {one.id: one for one in outcome.rejected}
            progress.advance(encoded=outcome.accepted, failed=len(outcome.rejected))
        client.indices.refresh(index=index)
        gone = ((id_, bulk.REMOVED) for id_ in found.surplus)
        for outcome in bulk.send(client, index, gone, connections=connections, require_alias=True):
            removed += outcome.accepted
        # A document that OpenSearch will not take stays as it was.
        found = difference(client, index, source.states).without(rejected, source.states)
    if found.any:
        raise ClusterError(
            f"{index} still differs from its shards in {len(found.missing) + len(found.surplus):,} documents; "
            "see that nothing else writes to it, and give the same command again."
        )
    return Applied(sent, removed, tuple(rejected.values()))
