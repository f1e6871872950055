"""The options of loading shards into OpenSearch."""

from dataclasses import dataclass

from lexel.pipeline.errors import ConfigError

ENGINES = ("lucene", "faiss")


@dataclass(frozen=True)
class LoadOptions:
    """The options of `load_shards`. Raises ConfigError if `engine` is not one of ENGINES.

    `shard_count` is the number of primary shards of the index, `replicas` that of the copies of each, which are made
    after loading; `engine` the k-NN engine; `connections` the number of concurrent requests. `merge` merges each shard
    into one segment at the end, which makes searches faster; None is a new index whose merge is waited for as long as
    a tenth of the load took, unless it is large. `collection_fields` adds near-duplicate group and map
    position to the documents, `templates` stores search templates in the cluster; ranking needs neither.
    `allow_shrink` lets the index lose more than a tenth of its documents. `in_place` makes no new index where there is
    one already.
    """

    shard_count: int = 1
    replicas: int = 0
    engine: str = "lucene"
    connections: int = 2
    merge: bool | None = None
    collection_fields: bool = True
    templates: bool = True
    allow_shrink: bool = False
    in_place: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ConfigError(f"There is no k-NN engine {self.engine!r}; choose {' or '.join(ENGINES)}.")
