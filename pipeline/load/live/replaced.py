"""What a load takes the place of: how many documents people find now, of which source, and how many it would lose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.iterators import batched
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.sources.remote.remote_path import place_of

# More than this share of an index is never lost unasked: a disk that is not there is more likely.
LOSS = 0.1
# A query may name as many values.
_MOST_VALUES = 10_000


@dataclass(frozen=True)
class Replaced:
    """The `documents` that an index showed, and the `source` that they were of."""

    documents: int
    source: str

    def check_loss(self, client: OpenSearch, index: str, shards: ShardFolder) -> None:
        """Raise ClusterError where more than a tenth of it would be gone, or nothing be left."""
        if not shards.rows:
            raise ClusterError(
                f"None of the items in {shards.path} was encoded, so {index} would be empty and was left as it is; "
                "see failures.parquet there, or give --allow-shrink."
            )
        lost = max(self.documents - shards.rows, self._failed(client, index, shards))
        if lost > LOSS * self.documents:
            raise ClusterError(
                f"{index} shows {self.documents:,} documents of {self.source}, and {lost:,} of them would be gone: "
                f"{shards.path} has {shards.rows:,} of {source_of(shards)}; see that all of it can be read, "
                "or give --allow-shrink."
            )

    def _failed(self, client: OpenSearch, index: str, shards: ShardFolder) -> int:
        """How many of the documents are of items that failed now. They can hide behind as many new ones."""
        uris = [failure.uri for failure in shards.ledger.failures]
        if self.source != source_of(shards) or len(uris) <= LOSS * self.documents:
            return 0
        return sum(_count_uris(client, index, some) for some in batched(uris, _MOST_VALUES))


def find_replaced(client: OpenSearch, index: str, target: str) -> Replaced | None:
    """What `index` shows that `target` would take the place of; None where there is nothing, or `target` itself."""
    if not client.indices.exists_alias(name=index):
        return None
    about = client.indices.get_mapping(index=index)
    if about.keys() <= {target}:
        return None
    made = [found["mappings"]["_meta"]["lexel"] for found in about.values()]
    places = {source_in(one) for one in made}
    return Replaced(int(client.count(index=index)["count"]), " and ".join(sorted(places)))


def source_of(shards: ShardFolder) -> str:
    """The folder, manifest or tar that the shards were made of."""
    return source_in({"root": shards.job.root, "source": shards.job.source})


def kind_of_items(about: Mapping[str, Any]) -> str:
    """What the documents of an index are, in words."""
    return "captions" if about.get("captions") else "pictures"


def source_in(about: Mapping[str, Any]) -> str:
    """The source that an index says it is of: a path or an address."""
    root, name = about.get("root", ""), about.get("source", "")
    return str(place_of(root, name)) if name else root


def _count_uris(client: OpenSearch, index: str, uris: Sequence[str]) -> int:
    return int(client.count(index=index, body={"query": {"terms": {"uri": list(uris)}}})["count"])
