"""Shards: encoded items as Parquet files, and the job that a folder of them belongs to.

job.json            the encoder, the source and the shard size; a second job with others is refused (`job`)
vocabulary.json     the encoder's words, so that loading needs no encoder
shard-00000.parquet a chunk's items (`table`); its footer holds the chunk's listing hash and its failures (`shard`)
failures.parquet    all failed items (id, uri, reason), gathered from the footers (`folder`)
map.parquet         the map of the collection
"""
