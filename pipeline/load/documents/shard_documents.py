"""The documents of a shard folder: all of a shard, or those at some places."""

from collections.abc import Iterator
from dataclasses import dataclass

from lexel.pipeline.collection.fields import CollectionFields
from lexel.pipeline.load.bulk import Document
from lexel.pipeline.load.documents.document_states import DocumentStates
from lexel.pipeline.load.documents.metadata_fields import MetadataFields
from lexel.pipeline.load.documents.row_documents import COLUMNS, documents
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.ledger import Ints
from lexel.pipeline.shards.shard import Shard
from lexel.pipeline.timings import timed_each


@dataclass(frozen=True)
class ShardDocuments:
    """The documents of `folder`, as its `states` say, with the `fields` that need the whole collection, if any."""

    folder: ShardFolder
    states: DocumentStates
    metadata: MetadataFields
    fields: CollectionFields | None

    def of(self, shard: Shard) -> Iterator[Document]:
        """The documents of a shard."""
        return self._at(shard, self.states.of(shard))

    def some(self, places: Ints) -> Iterator[Document]:
        """The documents at these places of the states."""
        shards = {shard.number: shard for shard in self.folder.shards}
        for number, mine in self.states.rows_by_shard(places).items():
            yield from self._at(shards[number], mine)

    def _at(self, shard: Shard, places: Ints) -> Iterator[Document]:
        states, row = self.states, 0
        some = Shard(shard.number, shard.path, states.row[places])
        for batch in timed_each("reading", some.batches(columns=COLUMNS)):
            mine = places[row : row + batch.num_rows]
            row += batch.num_rows
            more = [
                {"bucket": bucket, "checksum": checksum}
                for bucket, checksum in zip(states.bucket[mine].tolist(), states.checksum[mine].tolist(), strict=True)
            ]
            if self.fields:
                near = [states.near[place] or states.ids[place] for place in mine.tolist()]
                places_ = self.fields.places(batch)
                more = [one | {"near": n, "map": p} for one, n, p in zip(more, near, places_, strict=True)]
            yield from documents(batch, shard=shard.number, metadata=self.metadata, fields=more)
