"""Shards: Parquet files of encoded items, in a folder that belongs to one job.

Read table.py (the columns), shard.py (one file), job.py (job.json), folder.py (a folder opened and checked)
and part.py (the share of one of several workers).

job.json            the encoder, the source and the shard size; a job with other ones is refused
vocabulary.json     the encoder's vocabulary, so that loading needs no encoder
shard-00000.parquet the items of a chunk; the footer has the hash of its listing and its failures
failures.parquet    all failed items (id, uri, reason), collected from the footers
map.parquet         the map of the collection
"""
