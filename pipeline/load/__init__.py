"""Loading: shards to a new index behind an alias; `run` is its entry."""
