"""What an index must hold, told from the ledger alone: which documents, and a checksum of what is in each.

Documents carry their `checksum`, and a `bucket`: the hash of their id. The number and the sum of the checksums in each
range of buckets prove that an index holds what the ledger says, and where it does not, which documents to look at. It
is the idea of a hash tree with one level, as Dynamo compares replicas (DeCandia et al., SOSP 2007, section 4.7).
"""

import hashlib
from functools import cached_property

import numpy as np
import orjson
import pyarrow as pa

from lexel.pipeline.collection.fields import CollectionFields
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.load.documents.metadata_fields import MetadataFields
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.ledger import Ints
from lexel.pipeline.shards.shard import Shard

BUCKETS = 1 << 20
# So many documents are in a range of buckets, if there are enough of them; and so many ranges at most.
_IN_RANGE, _RANGES = 128, 8192


class DocumentStates:
    """The documents of a shard folder, in the order of their rows: `shard`, `row`, `bucket` and `checksum` [N].

    Rows that share an id are one document, the first. `layout` names what else a document depends on.
    """

    def __init__(
        self, folder: ShardFolder, fields: CollectionFields | None, metadata: MetadataFields, *, layout: int
    ) -> None:
        ledger, job = folder.ledger, folder.job
        shown = np.flatnonzero(ledger.shown)
        shards, rows = ledger.ints("shard")[shown], ledger.ints("row")[shown]
        order = np.lexsort((rows, shards))
        self.entries, self.shard, self.row = shown[order], shards[order], rows[order]
        some = ledger.entries.take(pa.array(self.entries))
        self.ids: list[str] = [document_id(id_) for id_ in some["id"].to_pylist()]
        self.near = fields.near(self.entries) if fields else [None] * len(self.ids)
        names, place = sorted(metadata.names.items()), fields and fields.map.digest
        salt = orjson.dumps([layout, job.fingerprint, job.thumbnail, job.exif, place, names])
        columns = (some[name].to_pylist() for name in ("key", "content", "described"))
        digests = b"".join(
            _hash(id_.encode()) + _hash(orjson.dumps([id_, near, key.hex(), (content or b"").hex(), described]) + salt)
            for id_, near, key, content, described in zip(self.ids, self.near, *columns, strict=True)
        )
        both = np.frombuffer(digests, "<u4").reshape(-1, 2).astype(np.int64)
        self.bucket, self.checksum = both[:, 0] % BUCKETS, both[:, 1]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def digest(self) -> str:
        """By which two states of a collection are told apart, whatever the order of rows."""
        order = np.lexsort((self.checksum, self.bucket))
        both = np.stack([self.bucket[order], self.checksum[order]])
        return hashlib.blake2b(both.tobytes(), digest_size=16).hexdigest()

    @property
    def width(self) -> int:
        """How many buckets are compared at once."""
        return -(-BUCKETS // min(_RANGES, max(1, len(self) // _IN_RANGE)))

    def of(self, shard: Shard) -> Ints:
        """The places of the documents of a shard."""
        first, last = np.searchsorted(self.shard, [shard.number, shard.number + 1])
        return np.arange(first, last)

    def rows_by_shard(self, some: Ints) -> dict[int, Ints]:
        """Of the documents at these places, the places by their shard, in the order of rows."""
        some = np.sort(some)
        numbers, starts = np.unique(self.shard[some], return_index=True)
        return dict(zip(numbers.tolist(), np.split(some, starts[1:]), strict=True)) if len(some) else {}


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=4).digest()
