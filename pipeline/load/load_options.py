"""How shards are loaded into OpenSearch."""

from dataclasses import dataclass

from lexel.pipeline.errors import ConfigError

ENGINES = ("lucene", "faiss")


@dataclass(frozen=True)
class LoadOptions:
    """How `load_shards` makes an index. Raises ConfigError for a k-NN engine that there is not.

    `shard_count` are the index's primary shards, `replicas` the copies of each, made when all is loaded; `engine` the
    k-NN engine; `connections` how many requests are on their way at once. `merge` makes one segment of each shard at
    the end: a longer load, and faster searches. Without `collection_fields` the documents have no near-duplicates and
    no place on the map, without `templates` no search templates are stored in the cluster; ranking needs neither.
    `allow_shrink` lets an index lose more than a tenth of what it shows.
    """

    shard_count: int = 1
    replicas: int = 0
    engine: str = "lucene"
    connections: int = 2
    merge: bool = False
    collection_fields: bool = True
    templates: bool = True
    allow_shrink: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ConfigError(f"There is no k-NN engine {self.engine!r}; choose {' or '.join(ENGINES)}.")
