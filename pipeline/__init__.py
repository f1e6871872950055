"""From sources to hits, in the order data flows: sources, images, encode, shards, load, queries, search."""
